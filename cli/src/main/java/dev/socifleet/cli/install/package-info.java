/** {@code soci install} and {@code soci uninstall}: the command on the PATH. */
@NullMarked
package dev.socifleet.cli.install;

import org.jspecify.annotations.NullMarked;

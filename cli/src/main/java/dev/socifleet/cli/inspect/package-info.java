/** {@code soci verify}, {@code soci explain}, {@code soci doctor}: what is, and whether it fits. */
@NullMarked
package dev.socifleet.cli.inspect;

import org.jspecify.annotations.NullMarked;

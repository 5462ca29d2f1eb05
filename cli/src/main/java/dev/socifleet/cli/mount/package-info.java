/** {@code soci mount}: an image as a directory, lazily, without containerd. */
@NullMarked
package dev.socifleet.cli.mount;

import org.jspecify.annotations.NullMarked;

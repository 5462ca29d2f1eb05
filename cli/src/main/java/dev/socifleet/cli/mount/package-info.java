/** {@code soci mount} and {@code soci unmount}: an image's files in a directory, no containerd. */
@NullMarked
package dev.socifleet.cli.mount;

import org.jspecify.annotations.NullMarked;

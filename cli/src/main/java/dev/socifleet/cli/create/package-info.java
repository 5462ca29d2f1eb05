/** {@code soci create}: v1 indexes of images in containerd. */
@NullMarked
package dev.socifleet.cli.create;

import org.jspecify.annotations.NullMarked;

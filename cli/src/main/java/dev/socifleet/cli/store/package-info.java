/**
 * This machine's images and SOCI artifacts: containerd's images, the store of zTOCs and indexes
 * (containerd's content store or a directory), and the catalogue of what was built.
 */
@NullMarked
package dev.socifleet.cli.store;

import org.jspecify.annotations.NullMarked;

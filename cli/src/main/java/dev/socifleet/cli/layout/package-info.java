/**
 * OCI image layouts (OCI image specification, image-layout.md), as directories and as tars. They
 * are read in place, a tar too: no copy is unpacked. They are written beside their place and moved
 * there whole.
 */
@NullMarked
package dev.socifleet.cli.layout;

import org.jspecify.annotations.NullMarked;

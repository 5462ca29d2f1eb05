/** The kernel's FUSE protocol, spoken over java.lang.foreign. Knows no layers. */
@NullMarked
package dev.socifleet.fuse;

import org.jspecify.annotations.NullMarked;

/** SOCI index manifests v1 and v2 and the conversion of images that carry them. */
@NullMarked
package dev.socifleet.sociindex;

import org.jspecify.annotations.NullMarked;

/** Puts indexes and converted images into a repository. */
@NullMarked
package dev.socifleet.sociindex.publish;

import org.jspecify.annotations.NullMarked;

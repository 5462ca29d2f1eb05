/** Plans an image and builds its zTOCs. */
@NullMarked
package dev.socifleet.indexer;

import org.jspecify.annotations.NullMarked;

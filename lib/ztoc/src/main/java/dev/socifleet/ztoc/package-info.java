/**
 * zTOC: the index of one layer that makes any of its files readable without the bytes before it.
 */
@NullMarked
package dev.socifleet.ztoc;

import org.jspecify.annotations.NullMarked;

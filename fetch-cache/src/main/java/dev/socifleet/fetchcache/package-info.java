/** The span and zTOC cache of the fleet. */
@NullMarked
package dev.socifleet.fetchcache;

import org.jspecify.annotations.NullMarked;

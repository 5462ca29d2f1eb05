/**
 * The span and zTOC cache of the fleet.
 *
 * <dl>
 *   <dt>caller
 *   <dd>who asks, for one repository, with the credential that he would show to its registry
 *   <dt>right
 *   <dd>that the registry lets this credential pull from this repository, and that the repository
 *       has this blob: asked at the registry, remembered for a short time, the two apart
 *   <dt>flight
 *   <dd>one way of a span into memory, from disk or from the registry, that any number of callers
 *       wait for
 *   <dt>pilot
 *   <dd>the waiting caller with whose credential the registry is asked
 *   <dt>run
 *   <dd>neighbouring missing spans of one blob, fetched by one request
 * </dl>
 */
@NullMarked
package dev.socifleet.fetchcache;

import org.jspecify.annotations.NullMarked;

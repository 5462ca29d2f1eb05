/** The wire contract of fetch-cache and the client that indexers and nodes use. */
@NullMarked
package dev.socifleet.cacheclient;

import org.jspecify.annotations.NullMarked;

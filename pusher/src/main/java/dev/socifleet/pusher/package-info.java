/** Publishes SOCI indexes. */
@NullMarked
package dev.socifleet.pusher;

import org.jspecify.annotations.NullMarked;

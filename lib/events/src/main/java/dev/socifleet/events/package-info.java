/** The Kafka records, their topics, and the loops that consume and produce them. */
@NullMarked
package dev.socifleet.events;

import org.jspecify.annotations.NullMarked;

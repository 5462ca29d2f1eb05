/** A Kafka broker in this process. */
@NullMarked
package dev.socifleet.embedded.broker;

import org.jspecify.annotations.NullMarked;

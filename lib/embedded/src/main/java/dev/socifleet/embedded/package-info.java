/** What one machine and the tests run in process: a Kafka broker and a small registry. */
@NullMarked
package dev.socifleet.embedded;

import org.jspecify.annotations.NullMarked;

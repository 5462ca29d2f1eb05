/** The soci command. */
@NullMarked
package dev.socifleet.cli;

import org.jspecify.annotations.NullMarked;

/** What the launcher runs so that later starts are fast. */
@NullMarked
package dev.socifleet.cli.training;

import org.jspecify.annotations.NullMarked;

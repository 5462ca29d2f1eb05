/** What the commands that build indexes share: options, printed lines, progress. */
@NullMarked
package dev.socifleet.cli.build;

import org.jspecify.annotations.NullMarked;

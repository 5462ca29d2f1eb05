/** {@code soci referrers …}, and what other commands print of copied referrers. */
@NullMarked
package dev.socifleet.cli.referrers;

import org.jspecify.annotations.NullMarked;

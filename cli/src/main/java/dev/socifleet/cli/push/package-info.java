/** {@code soci push}: local v1 indexes to the image's registry. */
@NullMarked
package dev.socifleet.cli.push;

import org.jspecify.annotations.NullMarked;

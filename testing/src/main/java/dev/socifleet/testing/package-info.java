/** Fixtures as products. */
@NullMarked
package dev.socifleet.testing;

import org.jspecify.annotations.NullMarked;

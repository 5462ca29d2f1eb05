/** {@code soci index …}: SOCI indexes at a registry and in the local stores. */
@NullMarked
package dev.socifleet.cli.index;

import org.jspecify.annotations.NullMarked;

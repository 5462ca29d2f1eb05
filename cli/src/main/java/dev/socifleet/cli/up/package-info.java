/** {@code soci up}: all services, a broker and, where none is given, a registry, on one machine. */
@NullMarked
package dev.socifleet.cli.up;

import org.jspecify.annotations.NullMarked;

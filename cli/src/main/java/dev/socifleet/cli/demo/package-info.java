/** {@code soci demo}: the whole path on one machine, shown and measured. */
@NullMarked
package dev.socifleet.cli.demo;

import org.jspecify.annotations.NullMarked;

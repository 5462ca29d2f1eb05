/** The commands on local artifacts: list, info, remove, rebuild-db. */
@NullMarked
package dev.socifleet.cli.artifacts;

import org.jspecify.annotations.NullMarked;

/** {@code soci ztoc}: zTOCs and layers as plain files, without any service. */
@NullMarked
package dev.socifleet.cli.ztoc;

import org.jspecify.annotations.NullMarked;

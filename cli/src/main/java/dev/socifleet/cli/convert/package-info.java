/** {@code soci convert}: an image that carries its v2 indexes. */
@NullMarked
package dev.socifleet.cli.convert;

import org.jspecify.annotations.NullMarked;

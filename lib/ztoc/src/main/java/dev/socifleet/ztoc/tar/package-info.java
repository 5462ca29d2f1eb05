/**
 * Walks a tar stream that is pushed at it and tells what each member's header says.
 *
 * <p>There are many readers of tar, and on odd archives no two agree. A zTOC's bytes depend on what
 * the existing tool's reader, Go's archive/tar, makes of a header, so this one follows its rules:
 * what counts as ustar, GNU, star or v7, which numbers pass, which extended record wins, and what
 * is refused. Names and values are raw bytes throughout: tar does not say in which charset they
 * are.
 */
@NullMarked
package dev.socifleet.ztoc.tar;

import org.jspecify.annotations.NullMarked;

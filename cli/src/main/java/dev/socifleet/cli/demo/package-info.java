/**
 * {@code soci demo}: the whole path on one machine, shown and measured.
 *
 * <dl>
 *   <dt>demo image
 *   <dd>an image of several hundred megabytes made from what is at hand everywhere: the C library,
 *       the JDK that runs this, this program's own jars
 *   <dt>full pull
 *   <dd>what the lazy start is compared with: every layer downloaded and unpacked, then started
 * </dl>
 */
@NullMarked
package dev.socifleet.cli.demo;

import org.jspecify.annotations.NullMarked;

/** {@code soci service}: one service as a process of its own. */
@NullMarked
package dev.socifleet.cli.service;

import org.jspecify.annotations.NullMarked;

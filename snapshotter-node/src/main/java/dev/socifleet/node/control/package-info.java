/**
 * How the {@code soci} command talks to the node of its machine: HTTP with JSON on a unix socket of
 * mode 0600. {@link dev.socifleet.node.control.ControlServer} lists the calls.
 */
@NullMarked
package dev.socifleet.node.control;

import org.jspecify.annotations.NullMarked;

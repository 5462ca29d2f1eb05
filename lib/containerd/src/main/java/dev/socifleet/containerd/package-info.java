/**
 * containerd's gRPC API over unix sockets: stubs generated from our own proto files (packages,
 * names and numbers as containerd has them), the client's end ({@link ContainerdChannel}), and a
 * server's ({@link UnixSocketServer}).
 */
@NullMarked
package dev.socifleet.containerd;

import org.jspecify.annotations.NullMarked;

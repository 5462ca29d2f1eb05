/** containerd's gRPC API on its unix socket. */
@NullMarked
package dev.socifleet.containerd;

import org.jspecify.annotations.NullMarked;

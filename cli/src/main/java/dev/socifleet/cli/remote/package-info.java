/** An image at its registry: how commands that need no containerd reach it. */
@NullMarked
package dev.socifleet.cli.remote;

import org.jspecify.annotations.NullMarked;

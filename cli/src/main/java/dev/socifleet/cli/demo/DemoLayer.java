package dev.socifleet.cli.demo;

import dev.socifleet.oci.Digest;
import java.nio.file.Path;

/**
 * A layer in a file. Sizes in bytes.
 *
 * @param name what people call it: "JDK"
 * @param digest of the blob
 * @param diffId of the tar inside (OCI image specification, config.md, "Layer DiffID")
 */
record DemoLayer(
    String name, Path file, Digest digest, Digest diffId, long size, long uncompressedSize) {}

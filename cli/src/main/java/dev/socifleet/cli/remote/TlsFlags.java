package dev.socifleet.cli.remote;

import dev.socifleet.cli.CommandFailure;
import dev.socifleet.oci.HostsDirectory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The certificates that flags name, as a description of the registry's host: the client reads no
 * other. It is in a directory of its own until the process ends.
 */
final class TlsFlags {
  private TlsFlags() {}

  static HostsDirectory hosts(
      String host,
      boolean skipVerify,
      Optional<Path> authority,
      Optional<Path> certificate,
      Optional<Path> key) {
    StringBuilder toml = new StringBuilder();
    toml.append("skip_verify = ").append(skipVerify).append('\n');
    authority.ifPresent(file -> toml.append("ca = ").append(quoted(file)).append('\n'));
    if (certificate.isPresent() && key.isPresent()) {
      toml.append("client = [[")
          .append(quoted(certificate.get()))
          .append(", ")
          .append(quoted(key.get()))
          .append("]]\n");
    }
    try {
      Path root = Files.createTempDirectory("soci-hosts");
      Path directory = Files.createDirectory(root.resolve(host));
      Path file = Files.writeString(directory.resolve("hosts.toml"), toml);
      // Deleted in the reverse order.
      root.toFile().deleteOnExit();
      directory.toFile().deleteOnExit();
      file.toFile().deleteOnExit();
      return new HostsDirectory(List.of(root));
    } catch (IOException e) {
      throw new CommandFailure("cannot write a temporary file for --tls… flags: " + e);
    }
  }

  private static String quoted(Path file) {
    if (!Files.isReadable(file)) {
      throw new CommandFailure("cannot read " + file + ", which --tls… names");
    }
    String path = file.toAbsolutePath().toString();
    return '"' + path.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
  }
}

package dev.socifleet.cli.inspect;

import dev.socifleet.cli.ContainerdOptions.Containerd;
import dev.socifleet.containerd.ContainerdChannel;
import dev.socifleet.containerd.ContainerdVersion;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Whether containerd answers, and knows the soci snapshotter. */
final class ContainerdChecks {
  private static final int LARGEST_CONFIG = 1 << 20;
  private static final Pattern PLUGIN =
      Pattern.compile(
          "\\[\\s*proxy_plugins\\.[\"']?([A-Za-z0-9_-]+)[\"']?\\s*\\]([^\\[]*)", Pattern.DOTALL);
  private static final Pattern ADDRESS =
      Pattern.compile("^\\s*address\\s*=\\s*[\"']([^\"']+)[\"']", Pattern.MULTILINE);

  private final Containerd containerd;
  private final Path config;
  private final List<Finding> found = new ArrayList<>();

  ContainerdChecks(Containerd containerd, Path config) {
    this.containerd = containerd;
    this.config = config;
  }

  List<Finding> run() {
    daemon();
    configuration();
    return found;
  }

  private void daemon() {
    try (ContainerdChannel channel = ContainerdChannel.open(containerd.socket())) {
      found.add(
          Finding.ok(
              "containerd "
                  + ContainerdVersion.of(channel)
                  + " answers on "
                  + containerd.socket()));
    } catch (IOException e) {
      found.add(
          Finding.fail(
              String.valueOf(e.getMessage()),
              "start containerd, or name its socket with --address"));
    }
  }

  private void configuration() {
    String text;
    try {
      if (Files.size(config) > LARGEST_CONFIG) {
        throw new IOException("it is larger than " + LARGEST_CONFIG + " bytes");
      }
      text = Files.readString(config).replaceAll("(?m)^\\s*#.*$", "");
    } catch (IOException e) {
      found.add(
          Finding.warn(
              "cannot read containerd's configuration " + config + ": " + e,
              "name it with --containerd-config; soci up prints what it needs"));
      return;
    }
    Matcher plugin = PLUGIN.matcher(text);
    boolean known = false;
    while (plugin.find()) {
      Matcher address = ADDRESS.matcher(plugin.group(2));
      if (plugin.group(1).equals("soci") && address.find()) {
        known = true;
        snapshotter(Path.of(address.group(1).replace("unix://", "")));
      }
    }
    if (!known) {
      found.add(
          Finding.fail(
              config + " has no [proxy_plugins.soci]",
              "add it with type = \"snapshot\" and address = the node's socket, then restart"
                  + " containerd"));
    }
    if (text.contains("io.containerd.grpc.v1.cri") || text.contains("io.containerd.cri.v1")) {
      found.add(
          text.matches("(?s).*disable_snapshot_annotations\\s*=\\s*false.*")
                  || text.matches("(?s).*enable_remote_snapshot_annotations\\s*=\\s*true.*")
              ? Finding.ok("CRI passes image names to snapshotters")
              : Finding.warn(
                  "CRI doesn't pass image names to snapshotters: pods aren't lazy",
                  "set disable_snapshot_annotations = false in the cri plugin's containerd section"
                      + " of "
                      + config));
    }
  }

  private void snapshotter(Path socket) {
    try {
      SocketChannel.open(UnixDomainSocketAddress.of(socket)).close();
      found.add(Finding.ok("the soci snapshotter listens on " + socket));
    } catch (IOException | IllegalArgumentException e) {
      found.add(
          Finding.fail(
              "nothing listens on the soci snapshotter's socket " + socket + ": " + e.getMessage(),
              "start the node: soci up, or its systemd unit"));
    }
  }
}

package dev.socifleet.cli.up;

import dev.socifleet.cli.Launcher;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What runs where, and what to do next, as lines. */
public final class Overview {
  private Overview() {}

  public static List<String> of(Stack stack) {
    List<String> lines = new ArrayList<>();
    lines.add("soci-fleet is up, its state in " + stack.plan().state() + "; Ctrl-C ends it.");
    lines.add("");
    lines.addAll(places(stack));
    lines.add("");
    lines.addAll(next(stack));
    return List.copyOf(lines);
  }

  /** What runs where. */
  public static List<String> places(Stack stack) {
    List<String> lines = new ArrayList<>();
    String kind =
        stack.ownRegistry().isPresent() ? "in this process" : stack.registry().base().toString();
    lines.add(row("registry", stack.registry().host(), kind));
    lines.add(row("webhook", stack.webhook(), "for the registry's notifications"));
    lines.add(row("Kafka", stack.bootstrap(), "topics soci.*"));
    lines.add(row("fetch-cache", stack.cacheUrl(), "spans and zTOCs for nodes and indexers"));
    stack
        .plan()
        .nodeSocket()
        .ifPresent(socket ->
            lines.add(
                row("node", socket.toString(), "in a process of its own; it serves containerd")));
    return lines;
  }

  /** What to do with it. */
  public static List<String> next(Stack stack) {
    List<String> lines = new ArrayList<>();
    String registry = stack.registry().host();
    if (stack.ownRegistry().isEmpty()) {
      lines.addAll(notifications(stack));
      lines.add("");
    }
    lines.add("What is pushed to " + registry + " is indexed by itself, e.g.");
    lines.add(
        "  skopeo copy --dest-tls-verify=false docker://python:3 docker://"
            + registry
            + "/python:3");
    stack.nodeControl().ifPresent(control -> lines.addAll(node(stack, control)));
    return lines;
  }

  private static List<String> node(Stack stack, Path control) {
    String image = stack.registry().host() + "/IMAGE:TAG";
    String soci = Launcher.command();
    return List.of(
        "",
        "An image's files, read when they are needed:",
        "  " + soci + " mount --node " + control + " " + image + " /mnt/image",
        "",
        "containerd starts images through the node with this in /etc/containerd/config.toml:",
        "  [proxy_plugins.soci]",
        "    type = \"snapshot\"",
        "    address = \"" + stack.plan().nodeSocket().orElseThrow() + "\"",
        "and then",
        "  " + soci + " rpull " + image,
        "  ctr run --rm --snapshotter soci " + image + " NAME");
  }

  private static List<String> notifications(Stack stack) {
    return List.of(
        "The registry has to tell of pushes; in the configuration of docker-registry:",
        "  notifications:",
        "    endpoints:",
        "      - name: soci-fleet",
        "        url: " + stack.webhook(),
        "        headers:",
        "          Authorization: [\"Bearer <what stands in " + stack.plan().tokenFile() + ">\"]",
        "        timeout: 5s",
        "        threshold: 3",
        "        backoff: 1s");
  }

  private static String row(String what, String where, String how) {
    return String.format("  %-12s %-44s %s", what, where, how).stripTrailing();
  }
}

package dev.socifleet.systemtests;

import static org.assertj.core.api.Assertions.assertThat;

import dev.socifleet.testing.Needs;
import dev.socifleet.testing.OciLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every command of the README, in its order, from a copy of the sources that nobody has built, in
 * namespaces of its own: the standard ports and sockets are free there, and whatever is left behind
 * goes with them.
 */
@Timeout(1800)
class ReadmeIT {
  @TempDir Path directory;

  @Test
  void everyCommandDoesWhatTheReadmeSays() throws Exception {
    Needs.root();
    Needs.fuse();
    Needs.programs("containerd", "ctr", "runc", "docker-registry", "skopeo");
    Path copy = Files.createDirectory(directory.resolve("soci-fleet"));
    run(
        "tar -C %s --exclude=target --exclude=./.git --exclude=.soci-build -c . | tar -x -C %s"
            .formatted(ProjectRoot.find(), copy));
    makeImage(copy.resolve("app"));
    run("tar -C / -czf " + copy.resolve("layer.tar.gz") + " etc/os-release usr/lib/os-release");
    // The build may have to download, which it can't without the machine's network.
    run("cd " + copy + " && ./soci --version >&2");

    Path script = Files.writeString(directory.resolve("script"), script(copy));
    run(
        "unshare --net --mount --pid --fork --kill-child --mount-proc --propagation private bash "
            + script);
  }

  private void run(String command) throws Exception {
    Path log = directory.resolve("log");
    Process process =
        new ProcessBuilder("bash", "-c", command)
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    try {
      assertThat(process.waitFor(20, TimeUnit.MINUTES)).as("it ends").isTrue();
    } finally {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
    assertThat(process.exitValue()).as(Files.readString(log)).isZero();
  }

  /** An image of this machine's shell, with one layer that is big enough to be indexed. */
  private void makeImage(Path layout) throws Exception {
    Path root = Files.createDirectory(directory.resolve("root"));
    run(
        """
        set -e
        cd %s
        mkdir -p bin
        for file in /bin/sh $(ldd /bin/sh | grep -o '/[^ ]*'); do
          mkdir -p .$(dirname $file)
          cp -L $file .$file
        done
        head -c 12000000 /dev/urandom > data
        """
            .formatted(root));
    new OciLayout(layout)
        .addDirectory(root)
        .finish("1.0", List.of("/bin/sh", "-c", "echo hello from a lazy layer"));
  }

  private static String script(Path copy) throws Exception {
    Readme readme = Readme.read();
    StringBuilder script =
        new StringBuilder(
            """
            set -euxo pipefail
            trap 'tail -n 30 *.log' ERR
            ip link set lo up
            mount -t tmpfs tmpfs /run
            mount -t tmpfs tmpfs /mnt
            cd %s
            # await FILE TEXT: until a process that goes on running has said so
            await() {
              for _ in $(seq 3000); do
                if grep -q "$2" "$1"; then return; fi
                sleep 0.2
              done
              cat "$1"
              return 1
            }
            # indexed IMAGE: until the converted image is there
            indexed() {
              for _ in $(seq 1500); do
                if skopeo inspect --tls-verify=false --raw "docker://$1-soci" > /dev/null 2>&1; then return; fi
                sleep 0.2
              done
              echo "$1 was not indexed"
              return 1
            }
            cat > node.toml <<'END'
            """
                .formatted(copy));
    script.append(readme.block("toml", "registry.example")).append("END\n");
    script
        .append("cat > containerd.toml <<'END'\nversion = 2\nroot = \"/run/c/root\"\n")
        .append("state = \"/run/c/state\"\n")
        .append(readme.block("toml", "[proxy_plugins.soci]").replace("version = 2\n", ""))
        .append(readme.block("toml", "io.containerd.grpc.v1.cri"))
        .append("END\n");
    script
        .append("cat > registry.yml <<'END'\nversion: 0.1\nlog: {level: warn}\n")
        .append("storage: {filesystem: {rootdirectory: /run/registry}}\n")
        .append("http: {addr: \"127.0.0.1:5000\"}\n")
        .append(readme.block("yaml", "notifications:"))
        .append("END\n");
    List<String> commands = readme.commands();
    assertThat(commands).hasSizeGreaterThan(8);
    String whenNoNodeRuns = "";
    for (String command : commands) {
      String step = step(command);
      if (command.contains("--no-node") || command.startsWith("./soci service")) {
        whenNoNodeRuns += step;
      } else {
        script.append(step);
      }
    }
    return script.append("kill $up; wait $up || true\n").append(whenNoNodeRuns).toString();
  }

  /** A command, and what a reader waits for or sees before going on. */
  private static String step(String command) {
    return switch (command.split(" --", 2)[0]) {
      case "./test" -> "# this very run\n";
      // /usr/local is this machine's.
      case "./soci install" ->
          command
              + " --prefix /run/local\nPATH=/run/local/bin:$PATH\ntest -L /run/local/bin/soci\n";
      case "./soci demo" ->
          command
              + """
               > demo.log 2>&1 & demo=$!
              await demo.log 'Ctrl-C ends it'
              grep 'share of the image' demo.log
              kill $demo
              wait $demo || true
              """;
      case "./soci up" ->
          command.contains("--no-node")
              ? command
                  + """
                   > index.log 2>&1 & up=$!
                  await index.log 'is indexed by itself'
                  sed -i "s|<the content of .*>|$(cat soci-index-state/fleet-token)|" registry.yml
                  docker-registry serve registry.yml > registry.log 2>&1 &
                  until skopeo copy -q --dest-tls-verify=false oci:app:1.0 docker://localhost:5000/app:1.0; do sleep 1; done
                  indexed localhost:5000/app:1.0
                  kill $up
                  wait $up || true
                  """
              : command
                  + """
                   > up.log 2>&1 & up=$!
                  await up.log 'soci rpull'
                  containerd --config containerd.toml > containerd.log 2>&1 &
                  until ctr version > /dev/null 2>&1; do sleep 0.2; done
                  """;
      case "skopeo copy" -> command + "\nindexed 127.0.0.1:7703/team/app:1.0\n";
      case "./soci rpull" -> command + " | tee rpull.log\ngrep '1 of 1 layers lazy' rpull.log\n";
      case "ctr run" -> command + " | grep 'hello from a lazy layer'\n";
      case "./soci service snapshotter-node" ->
          command
              + """
               > node.log 2>&1 & node=$!
              await node.log 'snapshotter-node is up'
              kill $node
              wait $node || true
              """;
      default -> command + "\n";
    };
  }
}

package dev.socifleet.cli.inspect;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.socifleet.cli.ContainerdWithImages;
import dev.socifleet.cli.RunSoci;
import dev.socifleet.cli.RunSoci.Ended;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code soci doctor} where something is missing, and beside a real containerd. */
@Timeout(600)
class DoctorIT {
  @TempDir private Path directory;

  @Test
  void eachLackComesWithWhatToDo() throws Exception {
    Path config =
        Files.writeString(
            directory.resolve("config.toml"),
            """
            version = 2
            [proxy_plugins.soci]
              type = "snapshot"
              address = "%s/node.sock"
            [plugins."io.containerd.grpc.v1.cri".containerd]
              snapshotter = "soci"
            """
                .formatted(directory));

    Ended ended =
        RunSoci.soci(
            "doctor",
            "--json",
            "--address",
            directory.resolve("none.sock").toString(),
            "--containerd-config",
            config.toString());

    JsonNode findings = new JsonMapper().readTree(ended.out());
    assertThat(ended.exit()).isEqualTo(1);
    for (JsonNode finding : findings) {
      assertThat(finding.path("do").asText().isEmpty())
          .isEqualTo(finding.path("level").asText().equals("ok"));
    }
    assertThat(findings.findValuesAsText("what"))
        .anyMatch(what -> what.startsWith("cannot connect to " + directory))
        .anyMatch(what -> what.startsWith("nothing listens on the soci snapshotter's socket"))
        .anyMatch(what -> what.startsWith("CRI doesn't pass image names"));
  }

  @Test
  void aContainerdThatAnswersIsOk() throws Exception {
    try (ContainerdWithImages containerd = ContainerdWithImages.start(directory)) {
      Ended ended = containerd.soci("doctor");

      assertThat(ended.lines()).anyMatch(line -> line.matches("ok +containerd .* answers on .*"));
    }
  }
}

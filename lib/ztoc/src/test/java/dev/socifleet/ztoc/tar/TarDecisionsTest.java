package dev.socifleet.ztoc.tar;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Damaged archives are refused, or read member by member, as Go's archive/tar does, which the tool
 * uses that our zTOCs must equal. Its verdicts were recorded (Go 1.26): {@code go-verdicts.txt} has
 * the start of the SHA-256 of one a line, for mutants 0, 1, 2, ...
 */
class TarDecisionsTest {
  private static final Path VERDICTS = Path.of("src/test/resources/tar/go-verdicts.txt");
  private static final int MUTANTS = 6000;
  private static final int DIGITS = 10;

  @Test
  void damagedArchivesAreReadOrRefusedAsByGo() throws IOException {
    List<String> verdicts = Files.readAllLines(VERDICTS);
    TarMutants mutants = new TarMutants();
    int accepted = 0;
    for (int i = 0; i < verdicts.size(); i++) {
      String ours = TarMutants.verdict(mutants.mutant(i));
      assertThat(start(ours)).as("mutant %s, by us: %s", i, ours).isEqualTo(verdicts.get(i));
      accepted += ours.startsWith("refused") ? 0 : 1;
    }
    assertThat(verdicts).hasSize(MUTANTS);
    assertThat(accepted).isBetween(MUTANTS / 10, MUTANTS * 9 / 10);
  }

  private static String start(String verdict) {
    try {
      MessageDigest sha = MessageDigest.getInstance("SHA-256");
      byte[] digest = sha.digest(verdict.getBytes(StandardCharsets.US_ASCII));
      return HexFormat.of().formatHex(digest).substring(0, DIGITS);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has SHA-256", e);
    }
  }

  /**
   * Records the verdicts anew, from the module's folder; needed when archives are added to those of
   * {@link TarMutants}.
   *
   * @param arguments the program that {@code go build src/test/go/tar_oracle.go} made
   */
  public static void main(String[] arguments) throws IOException {
    TarMutants mutants = new TarMutants();
    Process oracle =
        new ProcessBuilder(arguments[0]).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    List<String> verdicts = new ArrayList<>();
    try (OutputStream requests = new BufferedOutputStream(oracle.getOutputStream());
        DataInputStream answers = new DataInputStream(oracle.getInputStream())) {
      for (int i = 0; i < MUTANTS; i++) {
        byte[] mutant = mutants.mutant(i);
        ByteBuffer length = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN);
        requests.write(length.putInt(mutant.length).array());
        requests.write(mutant);
        requests.flush();
        byte[] verdict = answers.readNBytes(Integer.reverseBytes(answers.readInt()));
        verdicts.add(start(new String(verdict, StandardCharsets.US_ASCII)));
      }
    }
    Files.createDirectories(VERDICTS.getParent());
    Files.write(VERDICTS, verdicts);
  }
}

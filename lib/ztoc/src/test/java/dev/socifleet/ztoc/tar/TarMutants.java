package dev.socifleet.ztoc.tar;

import dev.socifleet.ztoc.streams.Mutations;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.zip.GZIPInputStream;

/** Damaged archives, the same for a number each time, and what our reader says of one. */
final class TarMutants {
  private static final Path LAYERS = Path.of("src/test/resources/layers");
  private static final int LARGEST = 40_000;
  private static final int BLOCK = 512;
  private static final int CHECKSUM = 148;
  private static final int MAGIC = 257;
  private static final byte[] USTAR = "ustar".getBytes(StandardCharsets.US_ASCII);

  private final List<byte[]> archives = new ArrayList<>();

  /** Takes the small archives among the layers of the tests, by name. */
  TarMutants() throws IOException {
    List<Path> paths = new ArrayList<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(LAYERS)) {
      files.forEach(paths::add);
    }
    Collections.sort(paths);
    for (Path path : paths) {
      String name = path.getFileName().toString();
      if (!name.startsWith("enc-") && !name.startsWith("bad-")) {
        byte[] archive = archive(path);
        if (archive.length > 0 && archive.length <= LARGEST) {
          archives.add(archive);
        }
      }
    }
  }

  /** What can be decompressed of it. */
  private static byte[] archive(Path path) throws IOException {
    byte[] layer = Files.readAllBytes(path);
    if (!path.toString().endsWith(".gz")) {
      return layer;
    }
    try (InputStream in = new GZIPInputStream(new ByteArrayInputStream(layer))) {
      return in.readAllBytes();
    } catch (IOException e) {
      return new byte[0];
    }
  }

  byte[] mutant(long number) {
    Random random = new Random(number * 0x9e3779b97f4a7c15L);
    byte[] mutant = archives.get(random.nextInt(archives.size()));
    mutant = Mutations.of(mutant, random);
    if (random.nextInt(8) != 0) {
      repair(mutant);
    }
    return mutant;
  }

  /** Makes the checksum right of whatever looks like a header. */
  private static void repair(byte[] archive) {
    for (int at = 0; at + BLOCK <= archive.length; at += BLOCK) {
      int magic = at + MAGIC;
      if (Arrays.equals(archive, magic, magic + USTAR.length, USTAR, 0, USTAR.length)) {
        int sum = 0;
        for (int i = 0; i < BLOCK; i++) {
          sum += i >= CHECKSUM && i < CHECKSUM + 8 ? ' ' : archive[at + i] & 0xff;
        }
        byte[] text = "%06o\0 ".formatted(sum).getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(text, 0, archive, at + CHECKSUM, text.length);
      }
    }
  }

  /** In the words of {@code src/test/go/tar_oracle.go}. */
  static String verdict(byte[] archive) {
    StringBuilder text = new StringBuilder();
    TarWalker walker = new TarWalker(entry -> line(entry, text));
    try {
      walker.accept(archive, 0, archive.length);
      walker.finish();
      return text.append("end ").append(walker.position()).append('\n').toString();
    } catch (TarException e) {
      return "refused\n";
    }
  }

  private static void line(TarEntry entry, StringBuilder text) {
    HexFormat hex = HexFormat.of();
    text.append(flag(entry.type())).append(' ').append(hex.formatHex(entry.name()));
    text.append(' ').append(hex.formatHex(entry.linkName())).append(' ').append(entry.offset());
    text.append(' ').append(entry.size()).append(' ').append(entry.mode());
    text.append(' ').append(entry.uid() & 0xffffffffL).append(' ');
    text.append(entry.gid() & 0xffffffffL).append(' ').append(hex.formatHex(entry.userName()));
    text.append(' ').append(hex.formatHex(entry.groupName())).append(' ');
    text.append(entry.seconds()).append('.').append(entry.nanos()).append(' ');
    text.append(entry.deviceMajor()).append(' ').append(entry.deviceMinor());
    for (Map.Entry<byte[], byte[]> record : entry.pax().entrySet()) {
      text.append(' ').append(hex.formatHex(record.getKey()));
      text.append('=').append(hex.formatHex(record.getValue()));
    }
    text.append('\n');
  }

  private static char flag(EntryType type) {
    return switch (type) {
      case REGULAR -> '0';
      case HARD_LINK -> '1';
      case SYMBOLIC_LINK -> '2';
      case CHARACTER_DEVICE -> '3';
      case BLOCK_DEVICE -> '4';
      case DIRECTORY -> '5';
      case FIFO -> '6';
    };
  }
}

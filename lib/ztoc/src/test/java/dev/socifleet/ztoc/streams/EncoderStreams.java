package dev.socifleet.ztoc.streams;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Streams of the compressors that are installed, and of zlib with knobs that only C has. */
public final class EncoderStreams {
  private static final String[] COMMANDS = {
    "gzip -n -1",
    "gzip -n -2",
    "gzip -n -3",
    "gzip -n -4",
    "gzip -n -5",
    "gzip -n -6",
    "gzip -n -7",
    "gzip -n -8",
    "gzip -n -9",
    "gzip -n -6 --rsyncable",
    "gzip -n -9 --rsyncable",
    "pigz -n -0 -p 2",
    "pigz -n -1 -p 2",
    "pigz -n -3 -p 2",
    "pigz -n -6 -p 1",
    "pigz -n -6 -p 2",
    "pigz -n -9 -p 2",
    "pigz -n -6 -p 2 -i",
    "pigz -n -9 -p 2 -i -b 32",
    "pigz -n -6 -p 2 -R",
    "pigz -n -1 -p 2 -R -i",
    "pigz -n -6 -p 2 -H",
    "pigz -n -6 -p 2 -U",
    "pigz -n -6 -p 2 -b 32",
    "pigz -n -11 -p 2 -I 1",
    "pigz -n -11 -p 2 -I 1 -O",
    "pigz -n -11 -p 2 -I 1 -i -b 64",
    "libdeflate-gzip -c -1",
    "libdeflate-gzip -c -3",
    "libdeflate-gzip -c -6",
    "libdeflate-gzip -c -9",
    "libdeflate-gzip -c -12",
    "igzip -c -0",
    "igzip -c -1",
    "igzip -c -2",
    "igzip -c -3",
    "bgzip -c -l 1",
    "bgzip -c -l 9",
    "7z a dummy -tgzip -si -so -mx=1",
    "7z a dummy -tgzip -si -so -mx=5",
    "7z a dummy -tgzip -si -so -mx=9",
    "zopfli -c --i1",
  };

  /** Level, window bits, memory level, strategy, flush, bytes between flushes. */
  private static final String[] KNOBS = {
    "6 31 1 0 0 65536",
    "6 31 2 0 0 65536",
    "9 31 9 0 0 65536",
    "1 31 9 0 0 65536",
    "6 25 8 0 0 65536",
    "6 25 1 0 2 5000",
    "9 28 5 0 0 65536",
    "6 31 8 1 0 65536",
    "6 31 8 2 0 65536",
    "6 31 8 3 0 65536",
    "6 31 8 4 0 65536",
    "6 31 8 4 2 3000",
    "1 31 8 3 3 7000",
    "6 31 8 0 1 4000",
    "6 31 8 0 1 100000",
    "6 31 8 0 2 10000",
    "6 31 8 0 3 10000",
    "6 31 8 0 5 10000",
    "1 31 1 0 5 3000",
    "9 31 8 0 5 333333",
    "0 31 8 0 0 65536",
    "0 31 8 0 2 1000",
    "0 31 1 0 0 65536",
  };

  private EncoderStreams() {}

  /**
   * @param encoder the compiled {@code zlib_encoder}
   * @param size bytes of content that compresses by half; of other content several times as many
   */
  public static List<Stream> all(Path encoder, Path directory, int size) throws IOException {
    Path mixed = Files.write(directory.resolve("mixed"), Contents.mixed(7, size));
    Path text = Files.write(directory.resolve("text"), Contents.text(8, 2 * size));
    Path runs = Files.write(directory.resolve("runs"), Contents.runs(9, 30 * size));
    List<Stream> all = new ArrayList<>();
    for (String command : COMMANDS) {
      List<String> words = List.of(command.split(" "));
      if (Commands.installed(words.getFirst())) {
        all.add(encoded(words, mixed));
        boolean slow = command.contains("zopfli") || command.contains("-11");
        boolean large = command.matches(".*(-0|-H|--rsyncable).*");
        all.add(encoded(words, slow || large ? text : runs));
      }
    }
    for (String knobs : KNOBS) {
      List<String> words = new ArrayList<>(List.of(encoder.toString()));
      words.addAll(List.of(knobs.split(" ")));
      all.add(encoded(words, mixed));
      all.add(encoded(words, text));
    }
    all.add(members("members-cat", all, 0, 9, 40));
    all.add(members("members-many", all, 20, 21, 22, 20, 20));
    return all;
  }

  private static Stream encoded(List<String> command, Path content) throws IOException {
    List<String> words = new ArrayList<>(command);
    boolean zopfli = words.getFirst().equals("zopfli");
    if (zopfli || words.getFirst().equals("igzip")) {
      words.add(content.toString());
    }
    String program = Path.of(words.getFirst()).getFileName().toString();
    String name =
        program + String.join("", command.subList(1, command.size())) + "-" + content.getFileName();
    return new Stream(name.replaceAll("[^-a-zA-Z0-9]", "-"), Commands.output(words, content));
  }

  private static Stream members(String name, List<Stream> all, int... which) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    Arrays.stream(which).forEach(i -> bytes.writeBytes(all.get(i % all.size()).bytes()));
    return new Stream(name, bytes.toByteArray());
  }
}

package dev.socifleet.cli.ztoc;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.socifleet.cli.artifacts.StoredZtocs;
import dev.socifleet.cli.store.LocalOptions;
import dev.socifleet.cli.store.LocalStores;
import dev.socifleet.ztoc.PaxRecord;
import dev.socifleet.ztoc.Toc;
import dev.socifleet.ztoc.Ztoc;
import dev.socifleet.ztoc.tar.EntryType;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * {@code soci ztoc list}: the zTOCs that were built here, as the existing tool lists them; or the
 * files in one, as {@code tar tv} shows an archive's.
 */
@Command(
    name = "list",
    aliases = "ls",
    mixinStandardHelpOptions = true,
    description = "List the zTOCs that were built here; or, of one of them, the layer's files.",
    footer = {
      "",
      "Examples:",
      "  soci ztoc list",
      "  soci ztoc list layer.ztoc",
      "  soci ztoc list -q layer.ztoc"
    })
final class ListCommand implements Callable<Integer> {
  private static final DateTimeFormatter MINUTE =
      DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm", Locale.ROOT).withZone(ZoneOffset.UTC);

  @Spec private CommandSpec spec = CommandSpec.create();

  @Mixin private LocalOptions local = new LocalOptions();

  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "ZTOC",
      description = "The zTOC's file, or the digest of one that was built here.")
  private @Nullable String index;

  @Option(
      names = "--ztoc-digest",
      paramLabel = "DIGEST",
      description = "Without ZTOC: only the one of this digest.")
  private @Nullable String digest;

  @Option(
      names = "--image-ref",
      paramLabel = "REF",
      description = "Without ZTOC: only those of this image's layers.")
  private @Nullable String image;

  @Option(
      names = {"-q", "--quiet"},
      description = "Only the names, or the digests.")
  private boolean quiet;

  @Option(names = "--json", description = "Print one JSON object a line for each file.")
  private boolean json;

  @Override
  public Integer call() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    String name = index;
    if (name == null) {
      try (LocalStores stores = local.open(spec)) {
        new StoredZtocs(stores).print(out, quiet, digest, image);
      }
      return 0;
    }
    Ztoc ztoc = NamedZtoc.read(name, local, spec).ztoc();
    Toc toc = ztoc.toc();
    if (json) {
      JsonGenerator to = new JsonMapper().createGenerator(out);
      to.disable(JsonGenerator.Feature.AUTO_CLOSE_TARGET);
      to.disable(JsonGenerator.Feature.FLUSH_PASSED_TO_STREAM);
      to.setRootValueSeparator(null);
      for (int i = 0; i < toc.size(); i++) {
        write(to, ztoc, i);
        to.writeRaw('\n');
      }
      to.close();
    } else {
      for (int i = 0; i < toc.size(); i++) {
        out.print(quiet ? printable(toc.nameText(i)) : line(toc, i));
        out.print('\n');
      }
    }
    out.flush();
    return 0;
  }

  private static String line(Toc toc, int file) {
    String name = printable(toc.nameText(file));
    String target = printable(text(toc.linkName(file)));
    return switch (toc.type(file)) {
      case SYMBOLIC_LINK -> attributes(toc, file) + name + " -> " + target;
      case HARD_LINK -> attributes(toc, file) + name + " link to " + target;
      default -> attributes(toc, file) + name;
    };
  }

  private static String attributes(Toc toc, int file) {
    boolean device =
        toc.type(file) == EntryType.CHARACTER_DEVICE || toc.type(file) == EntryType.BLOCK_DEVICE;
    String size =
        device
            ? toc.deviceMajor(file) + "," + toc.deviceMinor(file)
            : Long.toString(toc.length(file));
    String owner =
        owner(toc.userName(file), toc.uid(file)) + "/" + owner(toc.groupName(file), toc.gid(file));
    return String.format(
        Locale.ROOT,
        "%s %-16s %12s %s ",
        permissions(toc.type(file), toc.mode(file)),
        owner,
        size,
        MINUTE.format(Instant.ofEpochSecond(toc.modifiedSeconds(file))));
  }

  private static String owner(byte[] name, int id) {
    return name.length > 0 ? printable(text(name)) : Integer.toUnsignedString(id);
  }

  private static String permissions(EntryType type, int mode) {
    char[] shown = new char[10];
    shown[0] =
        switch (type) {
          case REGULAR -> '-';
          case HARD_LINK -> 'h';
          case SYMBOLIC_LINK -> 'l';
          case CHARACTER_DEVICE -> 'c';
          case BLOCK_DEVICE -> 'b';
          case DIRECTORY -> 'd';
          case FIFO -> 'p';
        };
    for (int i = 0; i < 9; i++) {
      shown[1 + i] = (mode >> (8 - i) & 1) != 0 ? "rwx".charAt(i % 3) : '-';
    }
    special(shown, 3, 's', (mode & 04000) != 0);
    special(shown, 6, 's', (mode & 02000) != 0);
    special(shown, 9, 't', (mode & 01000) != 0);
    return new String(shown);
  }

  private static void special(char[] shown, int at, char mark, boolean set) {
    if (set) {
      shown[at] = shown[at] == 'x' ? mark : Character.toUpperCase(mark);
    }
  }

  private static void write(JsonGenerator to, Ztoc ztoc, int file) throws IOException {
    Toc toc = ztoc.toc();
    to.writeStartObject();
    to.writeStringField("name", toc.nameText(file));
    to.writeStringField("type", toc.type(file).word());
    to.writeNumberField("offset", toc.offset(file));
    to.writeNumberField("size", toc.length(file));
    to.writeStringField("link", text(toc.linkName(file)));
    to.writeStringField("mode", String.format(Locale.ROOT, "%04o", toc.mode(file)));
    to.writeNumberField("uid", Integer.toUnsignedLong(toc.uid(file)));
    to.writeNumberField("gid", Integer.toUnsignedLong(toc.gid(file)));
    to.writeStringField("user", text(toc.userName(file)));
    to.writeStringField("group", text(toc.groupName(file)));
    to.writeStringField(
        "modified",
        Instant.ofEpochSecond(toc.modifiedSeconds(file), toc.modifiedNanos(file)).toString());
    to.writeNumberField("major", toc.deviceMajor(file));
    to.writeNumberField("minor", toc.deviceMinor(file));
    to.writeObjectFieldStart("xattrs");
    for (PaxRecord attribute : toc.xattrs(file)) {
      to.writeStringField(attribute.keyText(), text(attribute.value()));
    }
    to.writeEndObject();
    to.writeNumberField("startSpan", InfoCommand.firstSpan(ztoc, file));
    to.writeNumberField("endSpan", InfoCommand.lastSpan(ztoc, file));
    to.writeEndObject();
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  /** A name can hold what a terminal would obey. */
  private static String printable(String text) {
    StringBuilder shown = new StringBuilder(text.length());
    text.codePoints()
        .forEach(c -> {
          if (Character.isISOControl(c) || c == '\\') {
            shown.append(String.format(Locale.ROOT, "\\%03o", c));
          } else {
            shown.appendCodePoint(c);
          }
        });
    return shown.toString();
  }
}

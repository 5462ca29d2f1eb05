package dev.socifleet.cli.ztoc;

import dev.socifleet.cli.CommandFailure;
import dev.socifleet.cli.artifacts.StoredZtocs;
import dev.socifleet.cli.store.LocalOptions;
import dev.socifleet.cli.store.LocalStores;
import dev.socifleet.ztoc.MalformedZtocException;
import dev.socifleet.ztoc.Ztoc;
import java.io.IOException;
import java.nio.file.Path;
import java.util.regex.Pattern;
import picocli.CommandLine.Model.CommandSpec;

/** A zTOC by its file, or by its digest among those that were built here. */
final class NamedZtoc {
  private static final Pattern DIGEST = Pattern.compile("sha(?:256|512):[0-9A-Fa-f]+");

  private NamedZtoc() {}

  static boolean isDigest(String name) {
    return DIGEST.matcher(name).matches();
  }

  static PlainFiles.ZtocFile read(String name, LocalOptions local, CommandSpec command)
      throws IOException {
    if (!isDigest(name)) {
      return PlainFiles.ztoc(Path.of(name));
    }
    try (LocalStores stores = local.open(command)) {
      byte[] bytes = new StoredZtocs(stores).read(name);
      return new PlainFiles.ZtocFile(bytes, Ztoc.parse(bytes));
    } catch (MalformedZtocException e) {
      throw new CommandFailure("cannot read zTOC " + name + ": " + e.getMessage());
    }
  }
}

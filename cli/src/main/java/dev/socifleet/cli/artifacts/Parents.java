package dev.socifleet.cli.artifacts;

import dev.socifleet.cli.Soci;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;

/** The soci command that a command of a group belongs to. */
final class Parents {
  private Parents() {}

  static @Nullable Soci soci(CommandSpec spec) {
    return spec.root().userObject() instanceof Soci soci ? soci : null;
  }
}

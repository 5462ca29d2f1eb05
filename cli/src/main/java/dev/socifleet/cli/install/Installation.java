package dev.socifleet.cli.install;

import dev.socifleet.cli.CommandFailure;
import dev.socifleet.cli.Machine;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * What the command takes up below a prefix. Everybody may read it, whatever the umask says.
 *
 * <pre>
 * bin/soci                                  a link to the launcher
 * bin/soci.displaced                        another program that had that name
 * share/bash-completion/completions/soci
 * share/man/man1/soci.1
 * lib/soci-fleet/                           the launcher and its jars, where they were copied
 * </pre>
 */
record Installation(Path prefix) {
  private static final Set<PosixFilePermission> FILE = PosixFilePermissions.fromString("rw-r--r--");
  private static final Set<PosixFilePermission> PROGRAM =
      PosixFilePermissions.fromString("rwxr-xr-x");
  private static final int LONGEST_LAUNCHER = 64 << 10;
  private static final String MARK = "soci-fleet";

  Path programs() {
    return prefix.resolve("bin");
  }

  Path program() {
    return programs().resolve("soci");
  }

  private Path displaced() {
    return programs().resolve("soci.displaced");
  }

  private Path completion() {
    return prefix.resolve("share/bash-completion/completions/soci");
  }

  private Path manual() {
    return prefix.resolve("share/man/man1/soci.1");
  }

  private Path libraries() {
    return prefix.resolve("lib");
  }

  private Path copy() {
    return libraries().resolve("soci-fleet");
  }

  /** A standard one: everybody's for root, else one's own. */
  static Installation standard() {
    return Machine.isRoot()
        ? new Installation(Path.of("/usr/local"))
        : new Installation(Path.of(System.getProperty("user.home"), ".local"));
  }

  /**
   * Fails where another program has the name.
   *
   * @param force whether its place may be taken
   */
  void checkProgram(boolean force) throws IOException {
    if (!force && isAnother()) {
      throw new CommandFailure(
          program()
              + " is another program; --force takes its place and keeps it as "
              + displaced()
              + ", which soci uninstall puts back");
    }
  }

  /**
   * Puts everything in its place. Another program that has the name is kept.
   *
   * @return what is there now
   */
  List<Path> install(Path launcher, String completion, String manual) throws IOException {
    try {
      if (isAnother()) {
        Files.move(program(), displaced(), StandardCopyOption.REPLACE_EXISTING);
      }
      directory(programs());
      Path link = program().resolveSibling(".soci.new");
      Files.deleteIfExists(link);
      Files.createSymbolicLink(link, launcher);
      Files.move(link, program(), StandardCopyOption.ATOMIC_MOVE);
      write(completion(), completion);
      write(manual(), manual);
      return List.of(program(), completion(), manual());
    } catch (AccessDeniedException e) {
      throw denied(e);
    }
  }

  private CommandFailure denied(FileSystemException e) {
    return new CommandFailure(
        "cannot write "
            + e.getFile()
            + ": permission denied; run as root, or choose a place with --prefix, e.g. ~/.local");
  }

  /**
   * Copies the launcher and the jars of a checkout, so that the checkout isn't needed any more.
   *
   * @return the directory that has both now
   */
  Path copyOf(Path home) throws IOException {
    if (home.equals(copy())) {
      throw new CommandFailure("this is the copy; run soci install --copy from a checkout");
    }
    Path fresh = libraries().resolve("soci-fleet.new");
    try {
      directory(libraries());
      delete(fresh);
      file(home.resolve("soci"), fresh.resolve("soci"), PROGRAM);
      Path target = Path.of("cli/target");
      file(
          home.resolve(target).resolve("cli-1.0.0.jar"),
          fresh.resolve(target).resolve("cli-1.0.0.jar"),
          FILE);
      try (Stream<Path> jars = Files.list(home.resolve(target).resolve("lib"))) {
        for (Path jar : jars.filter(path -> path.toString().endsWith(".jar")).toList()) {
          file(jar, fresh.resolve(target).resolve("lib").resolve(jar.getFileName()), FILE);
        }
      }
      delete(copy());
      Files.move(fresh, copy(), StandardCopyOption.ATOMIC_MOVE);
      return copy();
    } catch (AccessDeniedException e) {
      throw denied(e);
    } finally {
      if (Files.isWritable(libraries())) {
        delete(fresh);
      }
    }
  }

  /**
   * Takes away what {@link #install} brought, and nothing else.
   *
   * @return what is gone; nothing where nothing was there
   */
  List<Path> uninstall() throws IOException {
    List<Path> gone = new ArrayList<>();
    try {
      if (isSomething(program()) && isOurs()) {
        remove(program(), gone);
        if (isSomething(displaced())) {
          Files.move(displaced(), program());
        }
      }
      removeIfOurs(completion(), gone);
      removeIfOurs(manual(), gone);
      if (Files.exists(copy().resolve("soci"))) {
        delete(copy());
        gone.add(copy());
      }
      return gone;
    } catch (AccessDeniedException e) {
      throw denied(e);
    }
  }

  private static void remove(Path file, List<Path> gone) throws IOException {
    if (Files.deleteIfExists(file)) {
      gone.add(file);
    }
  }

  /** Other packages may have files of these names. */
  private static void removeIfOurs(Path file, List<Path> gone) throws IOException {
    if (Files.isRegularFile(file) && Files.readString(file).contains(MARK)) {
      remove(file, gone);
    }
  }

  private boolean isAnother() throws IOException {
    return isSomething(program()) && !isOurs();
  }

  private static boolean isSomething(Path file) {
    return Files.exists(file, LinkOption.NOFOLLOW_LINKS);
  }

  /** Whether the program is a link to a launcher of ours, or to nothing any more. */
  private boolean isOurs() throws IOException {
    if (!Files.isSymbolicLink(program())) {
      return false;
    }
    try (InputStream target = Files.newInputStream(program())) {
      return new String(target.readNBytes(LONGEST_LAUNCHER), StandardCharsets.UTF_8)
          .contains("dev.socifleet.cli.Soci");
    } catch (NoSuchFileException e) {
      return true;
    }
  }

  /**
   * The first directory on the way to one, itself among them, that other users can't go through.
   */
  static Optional<Path> closed(Path directory) throws IOException {
    Path way = Path.of("/");
    for (Path name : directory.toRealPath()) {
      way = way.resolve(name);
      if (!Files.getPosixFilePermissions(way).contains(PosixFilePermission.OTHERS_EXECUTE)) {
        return Optional.of(way);
      }
    }
    return Optional.empty();
  }

  private static void parent(Path file) throws IOException {
    Path parent = file.getParent();
    if (parent != null) {
      directory(parent);
    }
  }

  private static void directory(Path directory) throws IOException {
    if (Files.isDirectory(directory)) {
      return;
    }
    parent(directory);
    Files.createDirectory(directory);
    Files.setPosixFilePermissions(directory, PROGRAM);
  }

  private static void write(Path file, String text) throws IOException {
    parent(file);
    Path fresh = file.resolveSibling("." + file.getFileName() + ".new");
    Files.writeString(fresh, text);
    Files.setPosixFilePermissions(fresh, FILE);
    Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
  }

  private static void file(Path from, Path to, Set<PosixFilePermission> permissions)
      throws IOException {
    parent(to);
    Files.copy(from, to, StandardCopyOption.COPY_ATTRIBUTES);
    Files.setPosixFilePermissions(to, permissions);
  }

  private static void delete(Path directory) throws IOException {
    if (!Files.exists(directory)) {
      return;
    }
    try (Stream<Path> all = Files.walk(directory)) {
      for (Path each : all.toList().reversed()) {
        Files.delete(each);
      }
    }
  }
}

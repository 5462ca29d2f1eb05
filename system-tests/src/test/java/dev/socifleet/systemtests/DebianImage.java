package dev.socifleet.systemtests;

import dev.socifleet.testing.OciLayout;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A real image from Debian's packages: Python, a big library that its program doesn't touch, and a
 * layer that deletes, replaces and makes opaque what is below, with a hard link, a file capability,
 * a set-user-ID program and a device.
 */
final class DebianImage {
  private static final String PACKAGES = "python3,libc-bin,coreutils,dash,libllvm14,python3-numpy";

  private DebianImage() {}

  static OciLayout make(Path directory, String tag, List<String> command)
      throws IOException, InterruptedException {
    Path base = Files.createDirectories(directory.resolve("base"));
    Path tar = directory.resolve("base.tar");
    shell(
        "mmdebstrap --quiet --aptopt='Acquire::Retries \"5\"' --variant=extract --include=%s %s bookworm %s"
            .formatted(PACKAGES, "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr", tar));
    shell("tar -C %s --xattrs --xattrs-include='*' -xpf %s".formatted(base, tar));
    Files.delete(tar);
    Path library = Files.createDirectories(directory.resolve("library/usr/lib/x86_64-linux-gnu"));
    shell("mv %s/usr/lib/x86_64-linux-gnu/libLLVM* %s/".formatted(base, library));
    shell(
        "mkdir -p %1$s/usr/lib/python3 && mv %2$s/usr/lib/python3/dist-packages %1$s/usr/lib/python3/"
            .formatted(directory.resolve("library"), base));
    Path changes = Files.createDirectories(directory.resolve("changes"));
    shell(
        """
        set -e
        cd %s
        mkdir -p usr/share/doc usr/bin etc/opaque etc/deep usr/lib/python3 opt
        : > usr/share/doc/.wh.coreutils
        mkdir -p etc/python3.11 && : > etc/python3.11/.wh..wh..opq && echo new > etc/python3.11/only
        head -c 300000 /usr/bin/python3* > opt/data 2>/dev/null || head -c 300000 /bin/bash > opt/data
        ln opt/data opt/same
        cp /usr/bin/cat opt/capable && setcap cap_net_bind_service+ep opt/capable
        cp /usr/bin/true opt/setuid && chmod 4755 opt/setuid
        mknod opt/null c 1 3 && chown 33:33 opt/null
        setfattr -n user.origin -v changes opt
        printf 'replaced\\n' > etc/debian_version
        touch -d '2020-02-02 02:02:02.5' opt/data
        """
            .formatted(changes));
    Path tiny = Files.createDirectories(directory.resolve("tiny/etc"));
    Files.writeString(tiny.resolve("tiny"), "too small to index\n");
    OciLayout layout = new OciLayout(directory.resolve("layout"));
    layout
        .addDirectory(base)
        .addDirectory(directory.resolve("library"))
        .addDirectory(changes)
        .addDirectory(directory.resolve("tiny"))
        .finish(tag, command);
    return layout;
  }

  /** Everything that can be seen of a tree below its root, by the machine's own programs. */
  static List<String> listing(Path tree) throws IOException, InterruptedException {
    return shell(
            """
            set -e
            cd %s
            export LC_ALL=C
            find . -mindepth 1 -printf '%%p %%y %%m %%U %%G %%T@ %%l\\n' | sort
            find . -type f -printf '%%p %%s %%n\\n' | sort
            find . -type f -print0 | sort -z | xargs -0 sha256sum
            find . \\( -type c -o -type b \\) -print0 | sort -z | xargs -0 stat -c '%%n %%t:%%T'
            find . -type f -links +1 -printf '%%i %%p\\n' | sort \\
              | awk '{ if ($1 == last) print $2, "=", name; else { last = $1; name = $2 } }' | sort
            getfattr -R -P -h -d -m - -e hex . | sort
            """
                .formatted(tree))
        .lines()
        .toList();
  }

  static String shell(String script) throws IOException, InterruptedException {
    Path out = Files.createTempFile("shell", ".out");
    try {
      Process process =
          new ProcessBuilder("sh", "-c", script)
              .redirectErrorStream(false)
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .redirectOutput(out.toFile())
              .start();
      if (!process.waitFor(10, TimeUnit.MINUTES)) {
        process.destroyForcibly();
        throw new IOException("did not end: " + script);
      }
      if (process.exitValue() != 0) {
        throw new IOException("status " + process.exitValue() + " of " + script);
      }
      return Files.readString(out, java.nio.charset.StandardCharsets.ISO_8859_1);
    } finally {
      Files.delete(out);
    }
  }
}

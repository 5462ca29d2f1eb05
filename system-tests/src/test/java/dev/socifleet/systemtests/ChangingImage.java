package dev.socifleet.systemtests;

import dev.socifleet.testing.OciLayout;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * An image of four layers, each of which deletes, replaces or makes opaque what is below it: files,
 * directories, symbolic links, devices, more than once and in turn.
 *
 * <p>No name of a hard link is deleted while others stay: overlayfs leaves their link count as the
 * lower layer has it, whoever serves that.
 */
final class ChangingImage {
  private ChangingImage() {}

  static OciLayout make(Path directory, String tag) throws IOException, InterruptedException {
    OciLayout layout = new OciLayout(directory.resolve("layout"));
    layout
        .addDirectory(
            layer(
                directory.resolve("1"),
                """
                mkdir -p kept/deep gone/deep/deeper opaque/deep swap/dir 'with space' ünïcode
                echo 1 > kept/file && echo 1 > kept/deep/file && echo 1 > gone/deep/deeper/file
                echo 1 > opaque/one && echo 1 > opaque/deep/two && echo 1 > swap/file && echo 1 > swap/dir/file
                echo 1 > deleted && echo 1 > 'with space/a b' && echo 1 > ünïcode/ö
                ln -s kept/file link && ln -s nowhere swap/link && ln kept/file kept/same
                mkfifo swap/fifo && mknod swap/null c 1 3 && mknod gone/block b 7 200
                chmod 2755 kept && chmod 1777 opaque && chown 12:34 kept/deep && chmod 4711 kept/deep/file
                setfattr -n user.first -v one kept/deep/file
                """))
        .addDirectory(
            layer(
                directory.resolve("2"),
                """
                mkdir -p kept opaque swap/file swap/link swap/fifo
                : > .wh.deleted && : > .wh.gone && : > .wh.link && : > .wh.never-was
                : > opaque/.wh..wh..opq && echo 2 > opaque/three
                echo 2 > swap/file/now-below && echo 2 > swap/dir && ln -s ../kept swap/null
                echo 2 > swap/link/x && echo 2 > swap/fifo/y
                chmod 700 kept && chown 1:2 kept && echo 2 > kept/file-of-two
                """))
        .addDirectory(
            layer(
                directory.resolve("3"),
                """
                mkdir -p gone/deep opaque/deep swap
                echo 3 > deleted && echo 3 > gone/deep/back && ln -s kept link
                echo 3 > opaque/deep/three && : > opaque/.wh.three
                : > swap/.wh.file && echo 3 > swap/link && ln -s dir swap/fifo
                setfattr -n user.third -v three opaque/deep/three
                """))
        .addDirectory(
            layer(
                directory.resolve("4"),
                """
                mkdir -p gone opaque kept/deep swap/dir
                : > gone/.wh..wh..opq && : > opaque/.wh..wh..opq && : > .wh.deleted
                echo 4 > swap/file && mknod swap/dir/zero c 1 5 && : > kept/.wh.file-of-two
                touch -h -d '2001-02-03 04:05:06.789' swap/dir/zero kept/deep
                """))
        .finish(tag, List.of("/none"));
    return layout;
  }

  /** A layer that is large enough to get a zTOC: some of it can't be compressed. */
  private static Path layer(Path directory, String script)
      throws IOException, InterruptedException {
    Files.createDirectories(directory);
    DebianImage.shell(
        "set -e\ncd %s\n%s\nhead -c 40000 /dev/urandom > pad-%s\n"
            .formatted(directory, script, directory.getFileName()));
    return directory;
  }
}

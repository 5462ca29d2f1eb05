package dev.socifleet.node.mounts;

import static dev.socifleet.node.mounts.TarHeaders.latin1;

import dev.socifleet.ztoc.tar.EntryType;
import dev.socifleet.ztoc.tar.TarEntry;
import dev.socifleet.ztoc.tar.TarException;
import dev.socifleet.ztoc.tar.TarWalker;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Rewrites a layer's tar, as it passes, into one of a lower directory for overlayfs: {@code .wh.}
 * entries (OCI image specification, layer.md, "Whiteouts") become character devices 0/0 and the
 * attribute {@code trusted.overlay.opaque}, at the archive's end; attributes of that name space
 * that the layer brings along are left out. All else passes byte by byte. A name that the layer has
 * itself is not hidden by its own whiteout.
 *
 * <p>Rewriting instead of changing the unpacked tree: so one tar process makes all of it, and its
 * protection against paths that lead out of the tree holds for all of it. Not thread-safe.
 */
final class OverlayTar {
  private static final String WHITEOUT = ".wh.";
  private static final String OPAQUE = ".wh..wh..opq";
  private static final String RESERVED = ".wh..wh.";
  private static final byte[] OPAQUE_KEY = latin1("SCHILY.xattr.trusted.overlay.opaque");
  private static final Comparator<byte[]> BYTES = Arrays::compareUnsigned;
  private static final int LONGEST_NAME = 4096;
  private static final int LONGEST_HEADERS = 8 << 20;
  // Kept until the end: names of whiteouts, and directories with their attributes. Bytes.
  private static final int MOST_KEPT = 32 << 20;
  private static final int MOST_NAMES = 4_000_000;

  private enum Passing {
    HEADERS,
    DATA,
    DROPPED_DATA
  }

  private final OutputStream out;
  private final TarWalker walker = new TarWalker(this::entry);
  private final ByteArrayOutputStream headers = new ByteArrayOutputStream();
  private final Map<String, TarEntry> directories = new HashMap<>();
  private final Set<String> whiteouts = new LinkedHashSet<>();
  private final Set<String> opaque = new LinkedHashSet<>();
  // Hashes of the names that the layer has: 64 bits suffice where only the layer's own author could
  // make two collide.
  private long[] names = new long[1024];
  private int nameCount;
  private String lastParent = "";
  private long kept;
  private Passing passing = Passing.HEADERS;
  private @Nullable TarEntry entry;
  private final byte[] block = new byte[TarHeaders.BLOCK];
  private int filled;

  OverlayTar(OutputStream out) {
    this.out = out;
  }

  /** Takes the next bytes of the layer's tar. */
  void accept(byte[] buffer, int from, int to) throws IOException, UnmountableException {
    for (int at = from; at < to && !walker.ended(); ) {
      int n = Math.min(to - at, block.length - filled);
      System.arraycopy(buffer, at, block, filled, n);
      filled += n;
      at += n;
      if (filled == block.length) {
        block(filled);
        filled = 0;
      }
    }
  }

  /** Ends the archive with what its whiteouts have become. */
  void finish() throws IOException, UnmountableException {
    try {
      block(filled);
      walker.finish();
    } catch (TarException e) {
      throw new UnmountableException(String.valueOf(e.getMessage()));
    }
    if (passing == Passing.DATA && filled > 0) {
      out.write(new byte[block.length - filled]); // an archive may end without its last padding
    }
    for (String directory : opaque) {
      TarEntry known = directories.get(directory);
      SortedMap<byte[], byte[]> pax = new TreeMap<>(BYTES);
      if (known != null) {
        pax.putAll(withoutOverlay(known.pax()));
      }
      pax.put(OPAQUE_KEY, latin1("y"));
      out.write(
          TarHeaders.of(
              known != null ? known : plain(EntryType.DIRECTORY, 0755),
              latin1(directory.isEmpty() ? "./" : directory + "/"),
              pax));
    }
    Arrays.sort(names, 0, nameCount);
    for (String name : whiteouts) {
      if (Arrays.binarySearch(names, 0, nameCount, hash(name)) < 0) {
        out.write(
            TarHeaders.of(
                plain(EntryType.CHARACTER_DEVICE, 0), latin1(name), new TreeMap<>(BYTES)));
      }
    }
    out.write(new byte[2 * TarHeaders.BLOCK]);
  }

  private void block(int length) throws IOException, UnmountableException {
    if (passing != Passing.HEADERS && walker.atHeader()) {
      passing = Passing.HEADERS;
      headers.reset();
    }
    entry = null;
    try {
      walker.accept(block, 0, length);
    } catch (TarException e) {
      throw new UnmountableException(String.valueOf(e.getMessage()));
    }
    switch (passing) {
      case HEADERS -> {
        headers.write(block, 0, length);
        if (headers.size() > LONGEST_HEADERS) {
          throw new UnmountableException(
              "its tar has a member with more than " + LONGEST_HEADERS + " header bytes");
        }
        if (entry != null) {
          passing = member(entry) ? Passing.DATA : Passing.DROPPED_DATA;
        }
      }
      case DATA -> out.write(block, 0, length);
      case DROPPED_DATA -> {
        // a whiteout is an empty file, but nothing says that it must be
      }
    }
  }

  private void entry(TarEntry found) {
    entry = found;
  }

  /** Passes a member's headers; false when the member is none of the lower directory's. */
  private boolean member(TarEntry member) throws IOException, UnmountableException {
    String name = normal(member.name());
    int slash = name.lastIndexOf('/');
    String parent = slash < 0 ? "" : name.substring(0, slash);
    String last = name.substring(slash + 1);
    if (("/" + parent).contains("/" + WHITEOUT)) {
      return false;
    }
    if (last.startsWith(WHITEOUT)) {
      whiteout(parent, last);
      return false;
    }
    remember(name, parent);
    if (member.type() == EntryType.DIRECTORY) {
      long size = name.length();
      for (Map.Entry<byte[], byte[]> record : member.pax().entrySet()) {
        size += record.getKey().length + record.getValue().length + 64;
      }
      keep(size);
      directories.put(name, member);
    }
    SortedMap<byte[], byte[]> pax = withoutOverlay(member.pax());
    if (pax.size() == member.pax().size()) {
      headers.writeTo(out);
      return true;
    }
    if (pax.keySet().stream().anyMatch(key -> latin1(key).startsWith("GNU.sparse."))) {
      throw new UnmountableException(
          "its tar has a sparse file with attributes of overlayfs: " + name);
    }
    out.write(TarHeaders.of(member, member.name(), pax));
    return true;
  }

  private void whiteout(String parent, String last) throws UnmountableException {
    if (last.equals(OPAQUE)) {
      keep(parent.length());
      opaque.add(parent);
    } else if (!last.startsWith(RESERVED) && last.length() > WHITEOUT.length()) {
      String hidden = last.substring(WHITEOUT.length());
      if (hidden.equals(".") || hidden.equals("..")) {
        throw new UnmountableException("its tar has a whiteout of '" + hidden + "'");
      }
      keep(parent.length() + hidden.length());
      whiteouts.add(parent.isEmpty() ? hidden : parent + "/" + hidden);
    }
  }

  /** The name without {@code ./}, leading, doubled and trailing slashes; empty for the root. */
  private static String normal(byte[] raw) throws UnmountableException {
    if (raw.length > LONGEST_NAME) {
      throw new UnmountableException("its tar has a name of " + raw.length + " bytes");
    }
    List<String> parts = new ArrayList<>();
    for (String part : latin1(raw).split("/", -1)) {
      if (part.equals("..")) {
        throw new UnmountableException("its tar has a name that leads upwards: " + latin1(raw));
      }
      if (!part.isEmpty() && !part.equals(".")) {
        parts.add(part);
      }
    }
    return String.join("/", parts);
  }

  private void remember(String name, String parent) throws UnmountableException {
    add(hash(name));
    if (!parent.equals(lastParent)) {
      lastParent = parent;
      for (String above = parent; !above.isEmpty(); ) {
        add(hash(above));
        int slash = above.lastIndexOf('/');
        above = slash < 0 ? "" : above.substring(0, slash);
      }
    }
  }

  private void add(long hash) throws UnmountableException {
    if (nameCount == MOST_NAMES) {
      throw new UnmountableException("its tar has more than " + MOST_NAMES + " names");
    }
    if (nameCount == names.length) {
      names = Arrays.copyOf(names, 2 * nameCount);
    }
    names[nameCount++] = hash;
  }

  private void keep(long length) throws UnmountableException {
    kept += length + 128;
    if (kept > MOST_KEPT) {
      throw new UnmountableException("its tar has too many directories and whiteouts");
    }
  }

  private static SortedMap<byte[], byte[]> withoutOverlay(SortedMap<byte[], byte[]> pax) {
    SortedMap<byte[], byte[]> without = new TreeMap<>(BYTES);
    pax.forEach((key, value) -> {
      String text = latin1(key);
      if (!text.startsWith("SCHILY.xattr.trusted.overlay.")
          && !text.startsWith("SCHILY.xattr.user.overlay.")) {
        without.put(key, value);
      }
    });
    return without;
  }

  private static TarEntry plain(EntryType type, int mode) {
    byte[] none = {};
    return new TarEntry(
        type, none, none, 0, 0, mode, 0, 0, none, none, 0, 0, 0, 0, new TreeMap<>(BYTES));
  }

  /** FNV-1a, 64 bits. */
  private static long hash(String name) {
    long hash = 0xcbf29ce484222325L;
    for (int i = 0; i < name.length(); i++) {
      hash = (hash ^ name.charAt(i)) * 0x100000001b3L;
    }
    return hash;
  }
}

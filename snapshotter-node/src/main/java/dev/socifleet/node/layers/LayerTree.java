package dev.socifleet.node.layers;

import dev.socifleet.ztoc.Toc;
import dev.socifleet.ztoc.tar.EntryType;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The tree that unpacking a layer's tar onto an empty upper directory would give, with what it
 * hides of the layers below in overlayfs's own form: a whiteout is a character device 0:0, an
 * opaque directory is marked. Made once from a table of contents, in one thread.
 *
 * <p>Members count in the order of the archive: a later one replaces an earlier one of its name,
 * except that a directory keeps its children. A whiteout removes what is below the layer, never
 * what the layer itself has, wherever in the archive it stands (OCI image specification, layer.md,
 * "Whiteouts"). A hard link to a member that comes later is made at the end.
 *
 * <p>Arrays of numbers instead of objects: a million members take about 100 MB while it is made.
 */
final class LayerTree {
  static final int ROOT = 0;
  static final int NONE = -1;

  /** The node is a whiteout. */
  static final int WHITEOUT = -2;

  private static final byte[] WHITEOUT_PREFIX = ascii(".wh.");
  private static final byte[] META_PREFIX = ascii(".wh..wh.");
  private static final byte[] OPAQUE = ascii(".wh..wh..opq");
  private static final int LONGEST_NAME = 255;

  /** Links to links to links that all stand before their targets: nobody's archiver does that. */
  private static final int MOST_ROUNDS = 32;

  private final Toc toc;

  /** Of a node: its member in the table of contents, {@link #NONE} or {@link #WHITEOUT}. */
  private int[] files;

  private boolean[] directories;
  private boolean[] opaque;
  private int nodeCount;

  // Of an entry: its directory, its name, and the node it leads to.
  private int[] entryDirectory;
  private int[] entryNameStart;
  private int[] entryNameLength;
  private int[] entryNode;
  private int entryCount;

  private byte[] names = new byte[1 << 12];
  private int namesLength;

  /** Entries by (directory, name), open addressing; entry + 1, 0 for a free place. */
  private int[] table = new int[1 << 8];

  private LayerTree(Toc toc) {
    this.toc = toc;
    int expected = Math.max(16, toc.size() + toc.size() / 8);
    files = new int[expected];
    directories = new boolean[expected];
    opaque = new boolean[expected];
    entryDirectory = new int[expected];
    entryNameStart = new int[expected];
    entryNameLength = new int[expected];
    entryNode = new int[expected];
    newNode(NONE, true);
  }

  /**
   * @throws UnservableLayerException unpacking the archive would fail, or would give something that
   *     a layer by itself can't show
   */
  static LayerTree of(Toc toc) throws UnservableLayerException {
    LayerTree tree = new LayerTree(toc);
    int[] later = new int[8];
    int waiting = 0;
    for (int file = 0; file < toc.size(); file++) {
      if (!tree.add(file)) {
        if (waiting == later.length) {
          later = Arrays.copyOf(later, 2 * waiting);
        }
        later[waiting++] = file;
      }
    }
    tree.addLinks(Arrays.copyOf(later, waiting));
    return tree;
  }

  int nodeCount() {
    return nodeCount;
  }

  int entryCount() {
    return entryCount;
  }

  /** The member that a node shows; {@link #NONE} for a directory that the archive leaves out. */
  int file(int node) {
    return files[node];
  }

  boolean isDirectory(int node) {
    return directories[node];
  }

  boolean isOpaque(int node) {
    return opaque[node];
  }

  int directoryOf(int entry) {
    return entryDirectory[entry];
  }

  int nodeOf(int entry) {
    return entryNode[entry];
  }

  byte[] nameOf(int entry) {
    int start = entryNameStart[entry];
    return Arrays.copyOfRange(names, start, start + entryNameLength[entry]);
  }

  int compareNames(int a, int b) {
    return Arrays.compareUnsigned(
        names,
        entryNameStart[a],
        entryNameStart[a] + entryNameLength[a],
        names,
        entryNameStart[b],
        entryNameStart[b] + entryNameLength[b]);
  }

  /** Adds a member; false for a hard link whose target isn't there yet. */
  private boolean add(int file) throws UnservableLayerException {
    byte[] name = toc.name(file);
    Path path = new Path(name);
    int directory = ROOT;
    if (!path.next()) {
      if (toc.type(file) != EntryType.DIRECTORY) {
        throw new UnservableLayerException("the root of its archive is not a directory");
      }
      files[ROOT] = file;
      return true;
    }
    while (path.hasMore()) {
      directory = enter(directory, name, path.start, path.length());
      path.next();
    }
    return addLast(file, directory, name, path.start, path.length());
  }

  private boolean addLast(int file, int directory, byte[] name, int start, int length)
      throws UnservableLayerException {
    if (startsWith(name, start, length, WHITEOUT_PREFIX)) {
      whiteout(directory, name, start, length);
      return true;
    }
    int node;
    if (toc.type(file) == EntryType.HARD_LINK) {
      node = find(toc.linkName(file));
      if (node == NONE) {
        return false;
      }
      if (directories[node]) {
        throw new UnservableLayerException(
            "hard link " + toc.nameText(file) + " leads to a directory");
      }
    } else {
      node = NONE;
    }
    boolean isDirectory = toc.type(file) == EntryType.DIRECTORY;
    int entry = entry(directory, name, start, length);
    if (entry != NONE) {
      int old = entryNode[entry];
      if (isDirectory && directories[old]) {
        files[old] = file;
        return true;
      }
      boolean hidesBelow = isDirectory && files[old] == WHITEOUT;
      entryNode[entry] = node != NONE ? node : newNode(file, isDirectory);
      opaque[entryNode[entry]] |= hidesBelow;
      return true;
    }
    newEntry(directory, name, start, length, node != NONE ? node : newNode(file, isDirectory));
    return true;
  }

  private void whiteout(int directory, byte[] name, int start, int length)
      throws UnservableLayerException {
    if (length == OPAQUE.length && startsWith(name, start, length, OPAQUE)) {
      opaque[directory] = true;
      return;
    }
    if (startsWith(name, start, length, META_PREFIX)) {
      return; // aufs's own files
    }
    int hidden = start + WHITEOUT_PREFIX.length;
    int hiddenLength = length - WHITEOUT_PREFIX.length;
    if (hiddenLength == 0
        || (name[hidden] == '.'
            && (hiddenLength == 1 || (hiddenLength == 2 && name[hidden + 1] == '.')))) {
      throw new UnservableLayerException(
          "whiteout " + new String(name, StandardCharsets.UTF_8) + " names nothing");
    }
    int entry = entry(directory, name, hidden, hiddenLength);
    if (entry == NONE) {
      newEntry(directory, name, hidden, hiddenLength, newNode(WHITEOUT, false));
    } else if (directories[entryNode[entry]]) {
      opaque[entryNode[entry]] = true;
    }
  }

  /** The subdirectory of a name, made where the archive left it out. */
  private int enter(int directory, byte[] name, int start, int length)
      throws UnservableLayerException {
    int entry = entry(directory, name, start, length);
    if (entry == NONE) {
      int node = newNode(NONE, true);
      newEntry(directory, name, start, length, node);
      return node;
    }
    int node = entryNode[entry];
    if (files[node] == WHITEOUT) {
      entryNode[entry] = newNode(NONE, true);
      opaque[entryNode[entry]] = true;
      return entryNode[entry];
    }
    if (!directories[node]) {
      throw new UnservableLayerException(
          "member "
              + new String(name, StandardCharsets.UTF_8)
              + " lies behind something that isn't a directory in this layer");
    }
    return node;
  }

  private void addLinks(int[] waiting) throws UnservableLayerException {
    int[] left = waiting;
    for (int round = 0; left.length > 0; round++) {
      int kept = 0;
      int[] still = new int[left.length];
      for (int file : left) {
        if (!add(file)) {
          still[kept++] = file;
        }
      }
      if (kept == left.length || round == MOST_ROUNDS) {
        throw new UnservableLayerException(
            "hard link "
                + toc.nameText(left[0])
                + " leads to "
                + new String(toc.linkName(left[0]), StandardCharsets.UTF_8)
                + ", which this layer doesn't have");
      }
      left = Arrays.copyOf(still, kept);
    }
  }

  /** The node of a path, {@link #NONE} if there is none or only a whiteout. */
  private int find(byte[] name) throws UnservableLayerException {
    Path path = new Path(name);
    int node = ROOT;
    while (path.next()) {
      int entry = directories[node] ? entry(node, name, path.start, path.length()) : NONE;
      if (entry == NONE || files[entryNode[entry]] == WHITEOUT) {
        return NONE;
      }
      node = entryNode[entry];
    }
    return node;
  }

  private int newNode(int file, boolean directory) {
    if (nodeCount == files.length) {
      int more = files.length + (files.length >> 1);
      files = Arrays.copyOf(files, more);
      directories = Arrays.copyOf(directories, more);
      opaque = Arrays.copyOf(opaque, more);
    }
    files[nodeCount] = file;
    directories[nodeCount] = directory;
    return nodeCount++;
  }

  private void newEntry(int directory, byte[] name, int start, int length, int node)
      throws UnservableLayerException {
    if (entryCount == entryNode.length) {
      int more = entryNode.length + (entryNode.length >> 1);
      entryDirectory = Arrays.copyOf(entryDirectory, more);
      entryNameStart = Arrays.copyOf(entryNameStart, more);
      entryNameLength = Arrays.copyOf(entryNameLength, more);
      entryNode = Arrays.copyOf(entryNode, more);
    }
    if (namesLength > Integer.MAX_VALUE / 2 - length) {
      throw new UnservableLayerException("its names take more than 1 GiB");
    }
    if (namesLength + length > names.length) {
      names = Arrays.copyOf(names, Math.max(namesLength + length, 2 * names.length));
    }
    System.arraycopy(name, start, names, namesLength, length);
    entryDirectory[entryCount] = directory;
    entryNameStart[entryCount] = namesLength;
    entryNameLength[entryCount] = length;
    entryNode[entryCount] = node;
    namesLength += length;
    entryCount++;
    if (2 * entryCount > table.length) {
      table = new int[2 * table.length];
      for (int entry = 0; entry < entryCount; entry++) {
        place(entry);
      }
    } else {
      place(entryCount - 1);
    }
  }

  private void place(int entry) {
    int at = slot(entryDirectory[entry], names, entryNameStart[entry], entryNameLength[entry]);
    while (table[at] != 0) {
      at = (at + 1) & (table.length - 1);
    }
    table[at] = entry + 1;
  }

  private int entry(int directory, byte[] name, int start, int length) {
    int at = slot(directory, name, start, length);
    for (; table[at] != 0; at = (at + 1) & (table.length - 1)) {
      int entry = table[at] - 1;
      int from = entryNameStart[entry];
      if (entryDirectory[entry] == directory
          && Arrays.equals(
              names, from, from + entryNameLength[entry], name, start, start + length)) {
        return entry;
      }
    }
    return NONE;
  }

  private int slot(int directory, byte[] name, int start, int length) {
    int hash = directory * 0x9E3779B1;
    for (int i = start; i < start + length; i++) {
      hash = 31 * hash + name[i];
    }
    hash *= 0x85EBCA6B;
    return (hash ^ (hash >>> 15)) & (table.length - 1);
  }

  private static boolean startsWith(byte[] name, int start, int length, byte[] prefix) {
    return length >= prefix.length
        && Arrays.equals(name, start, start + prefix.length, prefix, 0, prefix.length);
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  /**
   * Walks the components of a member's name. Empty ones and "." say nothing; ".." would lead out of
   * the directory that went before, which no archiver writes.
   */
  private static final class Path {
    private final byte[] name;
    int start;
    int end;

    Path(byte[] name) {
      this.name = name;
    }

    int length() {
      return end - start;
    }

    boolean next() throws UnservableLayerException {
      int from = begin();
      if (from == name.length) {
        return false;
      }
      start = from;
      end = from;
      while (end < name.length && name[end] != '/') {
        end++;
      }
      if (length() > LONGEST_NAME) {
        throw new UnservableLayerException(
            "a name of " + length() + " bytes, more than " + LONGEST_NAME);
      }
      if (length() == 2 && name[start] == '.' && name[start + 1] == '.') {
        throw new UnservableLayerException(
            "the name " + new String(name, StandardCharsets.UTF_8) + " leads upwards");
      }
      return true;
    }

    boolean hasMore() {
      return begin() < name.length;
    }

    /** Where the next component begins. */
    private int begin() {
      int at = end;
      while (at < name.length
          && (name[at] == '/'
              || (name[at] == '.'
                  && (at == 0 || name[at - 1] == '/')
                  && (at + 1 == name.length || name[at + 1] == '/')))) {
        at++;
      }
      return at;
    }
  }
}

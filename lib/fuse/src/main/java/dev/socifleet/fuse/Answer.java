package dev.socifleet.fuse;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** Writes answers. What they are written to, and when they end, is up to the two kinds of it. */
abstract sealed class Answer implements Reply permits ImmediateAnswer, DeferredAnswer {
  final Session session;
  private final Attributes attributes = new Attributes();
  private long unique;
  private RequestKind kind = RequestKind.OTHER;
  private boolean plus;
  private int asked;
  private int room;
  // The message of this request's payload once that was asked for.
  private @Nullable Message payload;

  Answer(Session session) {
    this.session = session;
  }

  /**
   * @param plus whether entries of a directory come with their attributes
   */
  final void begin(long unique, RequestKind kind, boolean plus) {
    this.unique = unique;
    this.kind = kind;
    this.plus = plus;
    asked = 0;
    room = session.maxPayload();
    payload = null;
    attributes.clear();
  }

  /**
   * @param bytes of the answer that the caller takes; 0 for an extended attribute asks for its size
   * @param most bytes that a payload may have
   */
  final void ask(int bytes, int most) {
    asked = bytes;
    room = most;
  }

  final void beginAs(Answer other) {
    begin(other.unique, other.kind, other.plus);
    ask(other.asked, other.room);
  }

  final long unique() {
    return unique;
  }

  final RequestKind kind() {
    return kind;
  }

  /** Memory for a structure, to be given to {@link #send}. */
  abstract Message small();

  /** Memory for a payload, kept until the answer ends. */
  abstract Message large();

  /** Ends the request and whatever it holds. */
  abstract void send(Message message, int errno, int length);

  @Override
  public final Attributes attributes() {
    return attributes;
  }

  @Override
  public final void sendEntry(long entrySeconds, long attributeSeconds) {
    Message message = small();
    Structures.entry(message.body(), 0, attributes, entrySeconds, attributeSeconds);
    send(message, 0, Abi.ENTRY_OUT);
  }

  @Override
  public final void sendNoEntry(long seconds) {
    Message message = small();
    Structures.noEntry(message.body(), seconds);
    send(message, 0, Abi.ENTRY_OUT);
  }

  @Override
  public final void sendAttributes(long seconds) {
    Message message = small();
    Structures.attributesAnswer(message.body(), attributes, seconds);
    send(message, 0, Abi.ATTR_OUT);
  }

  @Override
  public final ByteBuffer payload() {
    Message message = payload;
    if (message == null) {
      message = large();
      message.body().clear().limit(room);
      payload = message;
    }
    return message.body();
  }

  final @Nullable Message forgetPayload() {
    Message message = payload;
    payload = null;
    return message;
  }

  @Override
  public final void sendPayload() {
    Message message = payload;
    int length = message == null ? 0 : message.body().position();
    if (kind == RequestKind.XATTR || kind == RequestKind.XATTR_NAMES) {
      if (asked == 0) {
        sendSize(length);
        return;
      }
      if (length > asked) {
        sendError(Errno.RANGE);
        return;
      }
    }
    if (kind == RequestKind.TARGET && length >= Native.PAGE) {
      sendError(ErrnoText.ENAMETOOLONG);
      return;
    }
    send(message == null ? small() : message, 0, length);
  }

  private void sendSize(int bytes) {
    Message message = small();
    message.body().putInt(0, bytes).putInt(4, 0);
    send(message, 0, Abi.GETXATTR_OUT);
  }

  @Override
  public final boolean addChild(
      ByteBuffer names,
      int nameOffset,
      int nameLength,
      long next,
      long entrySeconds,
      long attributeSeconds) {
    if (nameLength < 1 || nameLength > Abi.LONGEST_NAME) {
      throw new IllegalArgumentException("a name of " + nameLength + " bytes");
    }
    ByteBuffer body = payload();
    int at = body.position();
    int dirent = plus ? at + Abi.ENTRY_OUT : at;
    int end = dirent + Structures.align(Abi.DIRENT + nameLength);
    if (end > body.limit()) {
      return false;
    }
    if (plus) {
      Structures.entry(body, at, attributes, entrySeconds, attributeSeconds);
    }
    Structures.child(body, dirent, attributes, next, names, nameOffset, nameLength);
    body.position(end);
    return true;
  }

  @Override
  public final void sendChildren() {
    Message message = payload;
    send(message == null ? small() : message, 0, message == null ? 0 : message.body().position());
  }

  @Override
  public final void sendStatistics(long blocks, int blockSize, long files, int longestName) {
    Message message = small();
    Structures.statistics(message.body(), blocks, blockSize, files, longestName);
    send(message, 0, Abi.STATFS_OUT);
  }

  @Override
  public final void sendError(int errno) {
    int valid = errno > 0 && errno <= ErrnoText.LARGEST ? errno : Errno.IO;
    if (valid == Errno.IO) {
      session.counters().errors.increment();
    }
    send(small(), valid, 0);
  }

  /** An answer without content. */
  final void sendNothing() {
    send(small(), 0, 0);
  }

  /** Sends; what the kernel doesn't want any more is nobody's loss. */
  final void write(Message message, int errno, int length) {
    long result = message.send(session.device(), unique, errno, length);
    if (result < 0) {
      session.notSent(kind, (int) -result);
    }
  }
}

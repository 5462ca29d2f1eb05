package dev.socifleet.fuse;

/** One thread's round: read a request, have it answered. Allocates nothing for a request. */
final class RequestLoop implements Runnable {
  private final Session session;
  private final Device device;
  private final FileSystem files;
  private final Request request = new Request();
  private final ImmediateAnswer answer;

  RequestLoop(Session session) {
    this.session = session;
    this.device = session.device();
    this.files = session.files();
    this.answer = new ImmediateAnswer(session);
  }

  @Override
  public void run() {
    try {
      if (device.enter()) {
        try {
          serve();
        } finally {
          device.leave();
        }
      }
    } finally {
      session.left();
    }
  }

  private void serve() {
    while (!session.isEnding()) {
      long n = request.read(device);
      if (n > 0) {
        handle();
        answer.deliver();
      } else if (n == 0 || n == -ErrnoText.ENODEV || n == -ErrnoText.ECONNABORTED) {
        return;
      } else if (n != -Errno.NOENT && n != -Errno.INTR && n != -Errno.AGAIN) {
        session.stopped((int) -n);
        return;
      }
    }
  }

  private void handle() {
    if (!request.isWhole()) {
      session.malformed("a request whose length is wrong");
      return;
    }
    int opcode = request.opcode();
    RequestKind kind = RequestKind.of(opcode);
    session.counters().count(kind);
    answer.open(request.unique(), kind, opcode == Abi.READDIRPLUS);
    try {
      if (session.isEnding() && kind != RequestKind.OTHER) {
        answer.sendError(ErrnoText.ENOTCONN);
      } else if (kind == RequestKind.OTHER) {
        answerAlone(opcode);
      } else {
        call(kind);
      }
      if (answer.isOpen()) {
        session.failed(kind, "got neither an answer nor was it deferred", null);
      }
    } catch (Throwable e) {
      session.failed(kind, "failed", e);
      DeferredAnswer deferred = answer.deferred();
      if (deferred != null) {
        deferred.abandon();
      }
    }
    if (answer.isOpen()) {
      answer.sendError(Errno.IO);
    }
    DeferredAnswer deferred = answer.deferred();
    if (deferred != null) {
      deferred.returned();
    }
  }

  private void call(RequestKind kind) {
    switch (kind) {
      case LOOKUP -> {
        if (request.findName(0)) {
          files.lookup(request.node(), request.name(), answer);
        } else {
          refuse("a LOOKUP without a name");
        }
      }
      case ATTRIBUTES -> files.attributes(request.node(), answer);
      case TARGET -> files.target(request.node(), answer);
      case READ -> read();
      case CHILDREN -> children();
      case XATTR -> {
        if (request.has(Abi.GETXATTR_IN) && request.findName(Abi.GETXATTR_IN)) {
          answer.ask(request.bodyInt(0), session.maxPayload());
          files.xattr(request.node(), request.name(), answer);
        } else {
          refuse("a GETXATTR without a name");
        }
      }
      case XATTR_NAMES -> {
        if (request.has(Abi.GETXATTR_IN)) {
          answer.ask(request.bodyInt(0), session.maxPayload());
          files.xattrNames(request.node(), answer);
        } else {
          refuse("a LISTXATTR that is too short");
        }
      }
      case STATISTICS -> files.statistics(answer);
      case OTHER -> throw new AssertionError("not the file system's");
    }
  }

  private void read() {
    int size = request.has(Abi.READ_IN) ? request.bodyInt(16) : -1;
    long offset = size < 0 ? -1 : request.bodyLong(8);
    if (size < 0 || size > session.maxPayload() || offset < 0) {
      refuse("a READ of " + size + " bytes at " + offset);
      return;
    }
    answer.ask(size, size);
    files.read(request.node(), offset, size, answer);
  }

  private void children() {
    int size = request.has(Abi.READ_IN) ? request.bodyInt(16) : -1;
    if (size < 0) {
      refuse("a READDIR that is too short");
      return;
    }
    answer.ask(size, Math.min(size, session.maxPayload()));
    files.children(request.node(), request.bodyLong(8), answer);
  }

  private void refuse(String what) {
    session.malformed(what);
    answer.sendError(Errno.INVAL);
  }

  /**
   * ENOSYS says once for all, and the kernel then does without: opening and closing without a
   * request (it was offered at the handshake), access by permission bits, seeking by size.
   */
  private void answerAlone(int opcode) {
    switch (opcode) {
      case Abi.FORGET, Abi.BATCH_FORGET, Abi.NOTIFY_REPLY -> answer.drop();
      case Abi.INTERRUPT -> {
        answer.drop();
        if (request.has(Long.BYTES)) {
          session.pending().interrupt(request.bodyLong(0));
        } else {
          session.malformed("an INTERRUPT that is too short");
        }
      }
      case Abi.SETATTR,
          Abi.SYMLINK,
          Abi.MKNOD,
          Abi.MKDIR,
          Abi.UNLINK,
          Abi.RMDIR,
          Abi.RENAME,
          Abi.RENAME2,
          Abi.LINK,
          Abi.WRITE,
          Abi.SETXATTR,
          Abi.REMOVEXATTR,
          Abi.CREATE,
          Abi.FALLOCATE,
          Abi.TMPFILE ->
          answer.sendError(Errno.ROFS);
      case Abi.RELEASE, Abi.RELEASEDIR, Abi.DESTROY -> answer.sendNothing();
      // Where the kernel itself asks (copying up in overlayfs), it takes no other answer for
      // "none".
      case Abi.IOCTL -> answer.sendError(ErrnoText.ENOTTY);
      default -> answer.sendError(Errno.NOSYS);
    }
  }
}

package dev.socifleet.cli.up;

import java.io.IOException;

/**
 * The node as a child process: it ends, in order, when its parent does, even if that was killed.
 * The parent holds the other end of its standard input.
 */
public final class NodeMain {
  private NodeMain() {}

  public static void main(String[] args) {
    Thread.ofPlatform().daemon().name("parent").start(NodeMain::endWithParent);
    dev.socifleet.node.SnapshotterNode.main(args);
  }

  private static void endWithParent() {
    try {
      while (System.in.read() >= 0) {
        // nothing is ever said
      }
    } catch (IOException e) {
      // as good as its end
    }
    System.exit(143);
  }
}

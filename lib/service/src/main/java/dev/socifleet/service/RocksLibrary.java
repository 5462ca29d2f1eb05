package dev.socifleet.service;

import java.io.IOException;
import java.nio.file.Path;
import org.rocksdb.NativeLibraryLoader;
import org.rocksdb.RocksDB;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * RocksDB's native code, for the services that have a database; they bring the dependency. Before
 * anything else of RocksDB is used.
 */
public final class RocksLibrary {
  private static final Logger LOG = LoggerFactory.getLogger(RocksLibrary.class);

  private RocksLibrary() {}

  /**
   * Unpacks it into a directory of the service's state and loads it, once in a process. There the
   * next start replaces it; in the temporary directory, where RocksDB would unpack it, each process
   * that is killed leaves 17 MB. That one is taken where the directory is full or may hold no code.
   */
  public static void load(Path directory) {
    try {
      NativeLibraryLoader.getInstance().loadLibrary(directory.toString());
    } catch (IOException | RuntimeException | UnsatisfiedLinkError e) {
      LOG.warn("RocksDB's library goes to the temporary directory, not to {}: {}", directory, e);
    }
    RocksDB.loadLibrary();
  }
}

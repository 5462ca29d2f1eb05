package dev.socifleet.cli.remote;

import dev.socifleet.oci.RegistryException;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/** What to do about a registry's failure. */
public final class RegistryAdvice {
  private RegistryAdvice() {}

  /** What goes behind the failure's message, from its semicolon on; empty for no advice. */
  public static String on(RegistryException failure) {
    if (failure.denied()) {
      return "; check the name, log in (docker login) or give --user NAME:PASSWORD";
    }
    if (causedBy(failure, SSLException.class)) {
      return "; a registry without TLS needs --plain-http, one with an authority of its own --tlscacert";
    }
    return failure.status() == 0 && failure.temporary() ? "; is the registry reachable?" : "";
  }

  private static boolean causedBy(Throwable failure, Class<? extends Throwable> type) {
    for (@Nullable Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (type.isInstance(cause)) {
        return true;
      }
    }
    return false;
  }
}

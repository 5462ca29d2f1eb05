package dev.socifleet.oci;

import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * An image as people name it: {@code [host/]name[:tag][@digest]}. Without a host it is Docker
 * Hub's, without tag and digest it is {@code latest} (distribution reference grammar).
 */
public record ImageReference(
    RepositoryName repository, @Nullable String tag, @Nullable Digest digest) {
  private static final Pattern TAG = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._-]{0,127}");

  public static ImageReference parse(String text) {
    String rest = text;
    Digest digest = null;
    int at = rest.indexOf('@');
    if (at >= 0) {
      digest = Digest.parse(rest.substring(at + 1));
      rest = rest.substring(0, at);
    }
    String tag = null;
    int colon = rest.lastIndexOf(':');
    if (colon > rest.lastIndexOf('/')) {
      tag = rest.substring(colon + 1);
      rest = rest.substring(0, colon);
      if (!isTag(tag)) {
        throw new IllegalArgumentException("not a tag: '" + tag + "'");
      }
    }
    int slash = rest.indexOf('/');
    String first = slash < 0 ? "" : rest.substring(0, slash);
    boolean hasHost = first.contains(".") || first.contains(":") || first.equals("localhost");
    String host = !hasHost || first.equals("index.docker.io") ? "docker.io" : first;
    String name = hasHost ? rest.substring(slash + 1) : rest;
    boolean official = host.equals("docker.io") && !name.contains("/");
    RepositoryName repository = new RepositoryName(host, official ? "library/" + name : name);
    return new ImageReference(repository, tag == null && digest == null ? "latest" : tag, digest);
  }

  public static boolean isTag(String text) {
    return TAG.matcher(text).matches();
  }

  /** What to ask the registry for: the digest where there is one, else the tag. */
  public String tagOrDigest() {
    return digest != null ? digest.toString() : Optional.ofNullable(tag).orElse("latest");
  }

  @Override
  public String toString() {
    return repository + (tag == null ? "" : ":" + tag) + (digest == null ? "" : "@" + digest);
  }
}

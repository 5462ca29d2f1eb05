package dev.socifleet.cli.store;

import dev.socifleet.containerd.ContentStore;
import dev.socifleet.containerd.content.v1.Info;
import dev.socifleet.oci.Digest;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** containerd's content store, of one namespace; labels keep what is referred to. */
final class ContainerdArtifacts implements ArtifactStore {
  private final ContentStore content;

  ContainerdArtifacts(ContentStore content) {
    this.content = content;
  }

  @Override
  public OptionalLong size(Digest blob) throws IOException {
    Optional<Info> info = content.info(blob.toString());
    return info.isPresent() ? OptionalLong.of(info.get().getSize()) : OptionalLong.empty();
  }

  @Override
  public Instant created(Digest blob) throws IOException {
    return content
        .info(blob.toString())
        .filter(Info::hasCreatedAt)
        .map(info ->
            Instant.ofEpochSecond(info.getCreatedAt().getSeconds(), info.getCreatedAt().getNanos()))
        .orElseGet(Instant::now);
  }

  @Override
  public byte[] read(Digest blob, int most) throws IOException {
    return content.read(blob.toString(), most);
  }

  @Override
  public void put(Digest blob, byte[] bytes, Map<String, String> references) throws IOException {
    content.put(blob.toString(), bytes, references);
  }

  @Override
  public boolean delete(Digest blob) throws IOException {
    return content.delete(blob.toString());
  }

  @Override
  public List<Digest> list() throws IOException {
    List<Digest> all = new ArrayList<>();
    for (Info info : content.list()) {
      all.add(Digest.parse(info.getDigest()));
    }
    return all;
  }
}

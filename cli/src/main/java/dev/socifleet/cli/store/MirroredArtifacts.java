package dev.socifleet.cli.store;

import dev.socifleet.oci.Digest;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/** What is kept goes to both stores; a blob that one of them lacks isn't there. */
public record MirroredArtifacts(ArtifactStore first, ArtifactStore second)
    implements ArtifactStore {
  @Override
  public OptionalLong size(Digest blob) throws IOException {
    return second.size(blob).isPresent() ? first.size(blob) : OptionalLong.empty();
  }

  @Override
  public Instant created(Digest blob) throws IOException {
    return first.created(blob);
  }

  @Override
  public byte[] read(Digest blob, int most) throws IOException {
    return first.read(blob, most);
  }

  @Override
  public void put(Digest blob, byte[] bytes, Map<String, String> references) throws IOException {
    first.put(blob, bytes, references);
    second.put(blob, bytes, references);
  }

  @Override
  public boolean delete(Digest blob) throws IOException {
    boolean there = first.delete(blob);
    return second.delete(blob) || there;
  }

  @Override
  public List<Digest> list() throws IOException {
    return first.list();
  }
}

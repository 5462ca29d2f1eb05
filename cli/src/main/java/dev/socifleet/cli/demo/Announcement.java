package dev.socifleet.cli.demo;

import dev.socifleet.oci.Digest;
import dev.socifleet.oci.MediaTypes;
import dev.socifleet.oci.RepositoryName;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;

/**
 * A registry's notification of a push, sent in the place of a registry that may not be configured
 * to send it (format: see ingest's {@code DistributionNotifications}). Announced twice, nothing
 * happens twice.
 */
final class Announcement {
  private Announcement() {}

  static void send(
      String webhook, String authorization, RepositoryName repository, String tag, Digest image)
      throws IOException, InterruptedException {
    String body =
        """
        {"events":[{"id":"demo","action":"push","target":{"mediaType":"%s","digest":"%s","repository":"%s","tag":"%s"}}]}\
        """
            .formatted(MediaTypes.OCI_MANIFEST, image, repository.name(), tag);
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(webhook))
            .timeout(Duration.ofSeconds(30))
            .header("Content-Type", "application/vnd.docker.distribution.events.v2+json")
            .header("Authorization", authorization)
            .POST(HttpRequest.BodyPublishers.ofString(body))
            .build();
    try (HttpClient client = HttpClient.newHttpClient()) {
      int status = client.send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
      if (status / 100 != 2) {
        throw new IOException("ingest did not take the notification: it answered " + status);
      }
    }
  }
}

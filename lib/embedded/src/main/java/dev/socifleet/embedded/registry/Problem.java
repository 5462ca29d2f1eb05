package dev.socifleet.embedded.registry;

import java.util.Map;

/** An answer that isn't success (distribution specification, "Error Codes"). */
final class Problem extends Exception {
  private final int status;
  private final String code;
  private final transient Map<String, String> headers;

  Problem(int status, String code, String message) {
    this(status, code, message, Map.of());
  }

  Problem(int status, String code, String message, Map<String, String> headers) {
    // The message is the answer's; nobody reads a stack of a wrong request.
    super(message, null, false, false);
    this.status = status;
    this.code = code;
    this.headers = Map.copyOf(headers);
  }

  static Problem unknownBlob(String digest) {
    return new Problem(404, "BLOB_UNKNOWN", "the repository has no blob " + digest);
  }

  static Problem unknownManifest(String reference) {
    return new Problem(
        404, "MANIFEST_UNKNOWN", "the repository has no manifest under " + reference);
  }

  static Problem unknownUpload() {
    return new Problem(
        404, "BLOB_UPLOAD_UNKNOWN", "no such upload in this repository; begin a new one");
  }

  static Problem unsupported(String method) {
    return new Problem(405, "UNSUPPORTED", method + " isn't supported here");
  }

  int status() {
    return status;
  }

  String code() {
    return code;
  }

  Map<String, String> headers() {
    return headers;
  }
}

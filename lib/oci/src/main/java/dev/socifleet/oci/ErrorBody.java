package dev.socifleet.oci;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * What a registry says of a failure, {@code {"errors":[{"code":…,"message":…}]}} (distribution
 * specification, "Error Codes"), made fit for a log: foreign text.
 *
 * @param reasons for a message, {@code ": CODE: text; CODE: text"}; empty where it said nothing
 */
record ErrorBody(List<String> codes, String reasons) {
  private static final JsonMapper JSON = new JsonMapper();
  private static final int MOST = 20;
  private static final int LONGEST = 200;
  private static final Pattern QUERY = Pattern.compile("\\?[^\\s\"'<>]*");
  private static final Pattern USER = Pattern.compile("://[^\\s/@]*@");
  private static final Pattern AUTHORIZATION =
      Pattern.compile("\\b(basic|bearer)\\s+[^\\s\"',;]+", Pattern.CASE_INSENSITIVE);

  static ErrorBody read(byte[] body) {
    List<String> codes = new ArrayList<>();
    StringBuilder reasons = new StringBuilder();
    try {
      for (JsonNode error : JSON.readTree(body).path("errors")) {
        String code = harmless(error.path("code").asText(""));
        if (!code.isEmpty() && codes.size() < MOST) {
          codes.add(code);
          reasons.append(reasons.isEmpty() ? ": " : "; ").append(code);
          String message = harmless(error.path("message").asText(""));
          if (!message.isEmpty()) {
            reasons.append(": ").append(message);
          }
        }
      }
    } catch (IOException e) {
      return new ErrorBody(List.of(), ""); // not JSON: a proxy's page, as a rule
    }
    return new ErrorBody(codes, reasons.toString());
  }

  /**
   * Foreign text on one line of bounded length, without what may be secret in it: queries of
   * addresses hold signatures, user parts hold passwords.
   */
  static String harmless(String text) {
    StringBuilder line = new StringBuilder();
    for (int i = 0; i < Math.min(text.length(), 4 * LONGEST); i++) {
      char c = text.charAt(i);
      line.append(Character.isISOControl(c) || c == '\u2028' || c == '\u2029' ? ' ' : c);
    }
    String clean = USER.matcher(line).replaceAll("://…@");
    clean = QUERY.matcher(clean).replaceAll("?…");
    clean = AUTHORIZATION.matcher(clean).replaceAll("$1 …");
    return clean.length() > LONGEST ? clean.substring(0, LONGEST) + "…" : clean;
  }
}

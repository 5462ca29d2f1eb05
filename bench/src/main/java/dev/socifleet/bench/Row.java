package dev.socifleet.bench;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * A line of the table.
 *
 * @param goal as in the design, or empty where none is set
 * @param reached yes, no, or empty
 */
record Row(String measure, String of, String against, String ratio, String goal, String reached) {
  /** A ratio that is to be at least so much. */
  static Row atLeast(double goal, String measure, String of, String against, double[] ratios) {
    double median = median(ratios);
    return new Row(
        measure, of, against, text(ratios), ">= " + goal + "x", median >= goal ? "yes" : "no");
  }

  /** A ratio that is to be at most so much. */
  static Row atMost(double goal, String measure, String of, String against, double[] ratios) {
    double median = median(ratios);
    return new Row(
        measure, of, against, text(ratios), "<= " + goal + "x", median <= goal ? "yes" : "no");
  }

  /** A ratio that nobody has set a goal for. */
  static Row plain(String measure, String of, String against, double[] ratios) {
    return new Row(measure, of, against, text(ratios), "", "");
  }

  static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int half = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  }

  private static String text(double[] ratios) {
    double least = Arrays.stream(ratios).min().orElseThrow();
    double most = Arrays.stream(ratios).max().orElseThrow();
    return String.format(Locale.ROOT, "%.2fx (%.2f-%.2f)", median(ratios), least, most);
  }

  /** The table in Markdown. */
  static String table(List<Row> rows) {
    StringBuilder text = new StringBuilder("| measure | of | against | ratio | goal | reached |\n");
    text.append("|---|---|---|---|---|---|\n");
    for (Row row : rows) {
      text.append("| ").append(row.measure).append(" | ").append(row.of).append(" | ");
      text.append(row.against).append(" | ").append(row.ratio).append(" | ");
      text.append(row.goal).append(" | ").append(row.reached).append(" |\n");
    }
    return text.toString();
  }
}

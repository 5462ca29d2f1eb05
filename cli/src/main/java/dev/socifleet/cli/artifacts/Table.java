package dev.socifleet.cli.artifacts;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;

/**
 * Rows in columns, as the existing tool prints them: each column 4 wider than its widest cell, at
 * least 8, and spaces behind the last one too.
 */
final class Table {
  private static final int PADDING = 4;
  private static final int NARROWEST = 8;

  private final List<List<String>> rows = new ArrayList<>();

  Table(String... head) {
    rows.add(List.of(head));
  }

  void row(String... cells) {
    rows.add(List.of(cells));
  }

  void print(PrintWriter out) {
    int columns = rows.getFirst().size();
    int[] widths = new int[columns];
    for (List<String> row : rows) {
      for (int i = 0; i < columns; i++) {
        int length = row.get(i).codePointCount(0, row.get(i).length());
        widths[i] = Math.max(widths[i], Math.max(NARROWEST, length + PADDING));
      }
    }
    for (List<String> row : rows) {
      StringBuilder line = new StringBuilder();
      for (int i = 0; i < columns; i++) {
        String cell = row.get(i);
        line.append(cell).append(" ".repeat(widths[i] - cell.codePointCount(0, cell.length())));
      }
      out.println(line);
    }
    out.flush();
  }
}

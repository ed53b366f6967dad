package dev.dibs.app;

import dev.dibs.Text;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Rows of text under headings, aligned: numbers to the right, the rest to the left.
 *
 * <p>Names come from the database, where anybody may have put control characters: none reaches the
 * terminal. Owned by one thread.
 */
final class TextTable {
  private static final String GAP = "  ";

  private final List<List<String>> rows = new ArrayList<>();
  private final List<Boolean> numeric;

  TextTable(String... headings) {
    rows.add(List.of(headings));
    numeric = new ArrayList<>(Collections.nCopies(headings.length, true));
  }

  /** Adds a row; a column is numeric while every cell in it is a number or empty. */
  TextTable add(Object... cells) {
    if (cells.length != numeric.size()) {
      throw new IllegalArgumentException(
          "a row needs " + numeric.size() + " cells, has " + cells.length);
    }
    for (int i = 0; i < cells.length; i++) {
      boolean number = cells[i] instanceof Number || cells[i].toString().isEmpty();
      numeric.set(i, numeric.get(i) && number);
    }
    rows.add(Arrays.stream(cells).map(cell -> clean(cell.toString())).toList());
    return this;
  }

  boolean isEmpty() {
    return rows.size() == 1;
  }

  private static String clean(String cell) {
    return Text.storable(cell).replaceAll("[\\r\\n\\t]", " ");
  }

  /** All lines, the headings first, without trailing blanks. */
  List<String> lines() {
    int[] widths = IntStream.range(0, numeric.size()).map(this::width).toArray();
    return rows.stream().map(row -> line(row, widths)).toList();
  }

  private int width(int column) {
    return rows.stream().mapToInt(row -> length(row.get(column))).max().orElse(0);
  }

  private String line(List<String> row, int[] widths) {
    return IntStream.range(0, widths.length)
        .mapToObj(i -> padded(row.get(i), widths[i], numeric.get(i)))
        .collect(Collectors.joining(GAP))
        .stripTrailing();
  }

  private static String padded(String cell, int width, boolean right) {
    String blanks = " ".repeat(width - length(cell));
    return right ? blanks + cell : cell + blanks;
  }

  private static int length(String text) {
    return text.codePointCount(0, text.length());
  }
}

package dev.dibs.console;

import com.sun.net.httpserver.HttpExchange;
import dev.dibs.AuditRow;
import dev.dibs.DatabaseException;
import dev.dibs.Page;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * The audit as a file of comma-separated values, the newest first, sent while it is read: of
 * 100,000 rows at the most. What a spreadsheet would take for a formula has an apostrophe in front.
 *
 * @param batches the rows behind a cursor
 */
record AuditFile(Function<Optional<Page.Cursor>, Page<AuditRow>> batches) {
  static final int BATCH = 1_000;
  private static final int MOST = 100_000;
  private static final List<String> COLUMNS =
      List.of(
          "at", "who", "login", "from", "action", "target", "before", "after", "result", "reason",
          "request");

  /** Sends it; what fails before the first row was read fails as a page does. */
  Answer send(HttpExchange exchange) throws IOException {
    Page<AuditRow> page = batches.apply(Optional.empty());
    exchange.getResponseHeaders().set("Content-Type", "text/csv; charset=utf-8; header=present");
    exchange
        .getResponseHeaders()
        .set("Content-Disposition", "attachment; filename=\"dibs-audit.csv\"");
    if (exchange.getRequestMethod().equals("HEAD")) {
      exchange.sendResponseHeaders(200, -1);
      return Answer.SENT;
    }
    exchange.sendResponseHeaders(200, 0);
    try (Writer out =
        new BufferedWriter(
            new OutputStreamWriter(exchange.getResponseBody(), StandardCharsets.UTF_8))) {
      write(out, page);
    } catch (IOException e) {
      return Answer.SENT; // the reader is gone
    }
    return Answer.SENT;
  }

  void write(Writer out, Page<AuditRow> first) throws IOException {
    line(out, COLUMNS);
    Page<AuditRow> page = first;
    for (int rows = page.rows().size(); ; rows += page.rows().size()) {
      for (AuditRow row : page.rows()) line(out, values(row));
      if (page.isLast()) return;
      if (rows >= MOST) {
        line(out, List.of("(not all: the newest 100,000 rows; narrow it by time for the others)"));
        return;
      }
      try {
        page = batches.apply(page.next());
      } catch (DatabaseException e) {
        line(out, List.of("(not all: the database did not answer after " + rows + " rows)"));
        return;
      }
    }
  }

  private static List<String> values(AuditRow row) {
    return List.of(
        row.at().toString(),
        row.request().actor(),
        row.login(),
        row.request().source(),
        row.action(),
        row.target(),
        row.change().before().orElse(""),
        row.change().after().orElse(""),
        row.result(),
        row.request().why(),
        row.request().id().toString());
  }

  private static void line(Writer out, List<String> values) throws IOException {
    out.write(values.stream().map(AuditFile::quoted).collect(Collectors.joining(",")));
    out.write("\r\n");
  }

  /** In quotes always: whatever it holds, it is one value. */
  static String quoted(String text) {
    boolean runs = !text.isEmpty() && "=+-@\t\r\n".indexOf(text.charAt(0)) >= 0;
    return (runs ? "\"'" : "\"") + SafeOutput.visible(text).replace("\"", "\"\"") + "\"";
  }
}

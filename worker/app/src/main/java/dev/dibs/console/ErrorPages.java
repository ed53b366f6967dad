package dev.dibs.console;

import java.sql.SQLException;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Whatever went wrong, as a page: what happened, what to do, and the id that the log has too. */
final class ErrorPages {
  private static final Logger LOG = LoggerFactory.getLogger(ErrorPages.class);
  private static final String TIMED_OUT = "57014";
  private static final String LOCKED = "55P03";
  private static final String NOT_GRANTED = "42501";
  private static final String READ_ONLY = "25006";

  private final Site site;

  ErrorPages(Site site) {
    this.site = site;
  }

  Answer answer(Visit visit, Exception e) {
    Refusal refusal = refusal(visit, e);
    Frame frame = site.frame(visit, refusal.title());
    String html = SafeOutput.of(out -> JteerrorGenerated.render(out, out, frame, refusal));
    Answer page = Answer.page(refusal.status(), html);
    return refusal.status() == 503 ? page.with("Retry-After", "5") : page;
  }

  private static Refusal refusal(Visit visit, Exception e) {
    if (e instanceof Refusal refusal) return refusal;
    Optional<String> state = sqlState(e);
    if (state.isPresent()) {
      LOG.warn("{}: the database refused: {}", visit.requestId(), state.get());
      return ofDatabase(state.get());
    }
    // Not its message: that could quote the request.
    LOG.error(
        "{}: failed: {} at {}",
        visit.requestId(),
        e.getClass().getName(),
        e.getStackTrace().length == 0 ? "?" : e.getStackTrace()[0]);
    return new Refusal(500, "Failed", "This is a bug in dibs; its log knows more.");
  }

  private static Refusal ofDatabase(String state) {
    return switch (state) {
      case TIMED_OUT, LOCKED ->
          new Refusal(
              503,
              "Not answered in time",
              "The database was given a second. Try again, or narrow it to one queue.");
      case NOT_GRANTED ->
          new Refusal(
              403,
              "Not granted",
              "The role that the console connects as may not do this. `dibs migrate --roles` grants dibs_operator what it needs.");
      case READ_ONLY ->
          new Refusal(
              403, "Read-only", "The database takes no changes: it is a replica, or set so.");
      default ->
          new Refusal(
              503,
              "The database does not answer",
              "The console goes on by itself when it is back.");
    };
  }

  /** Whether that was a statement that was given up, and not a database that is gone. */
  static boolean isTooSlow(Exception e) {
    return sqlState(e).filter(state -> state.equals(TIMED_OUT) || state.equals(LOCKED)).isPresent();
  }

  /** Of the first cause that is the database's. */
  private static Optional<String> sqlState(@org.jspecify.annotations.Nullable Throwable e) {
    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
      if (cause instanceof SQLException sql)
        return Optional.of(sql.getSQLState() == null ? "08000" : sql.getSQLState());
    }
    return Optional.empty();
  }
}

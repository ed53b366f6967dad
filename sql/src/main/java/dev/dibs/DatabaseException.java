package dev.dibs;

import java.sql.BatchUpdateException;
import java.sql.SQLException;
import org.jooq.exception.DataAccessException;
import org.jspecify.annotations.Nullable;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

/**
 * The database could not answer. Unless said otherwise nothing was changed and the call may be
 * repeated.
 *
 * <p>Its message quotes no row. Its cause is the driver's own exception, whose message does: unless
 * the connection was opened with {@code logServerErrorDetail=false}.
 */
public class DatabaseException extends DibsException {
  private final @Nullable String sqlState;

  public DatabaseException(String doing, SQLException cause) {
    super(doing + ": " + reason(cause), cause);
    this.sqlState = cause.getSQLState();
  }

  /** The SQLSTATE of the failure, or an empty string where the driver gave none. */
  public String sqlState() {
    return sqlState == null ? "" : sqlState;
  }

  /**
   * What went wrong, for messages and logs: what the server said and its hint. The detail and the
   * context, which the driver adds, quote what rows hold, payloads too, and are left out.
   */
  public static String reason(Exception failure) {
    return switch (failure) {
      case PSQLException refused when refused.getServerErrorMessage() != null ->
          said(refused.getServerErrorMessage());
      case BatchUpdateException batch when batch.getNextException() != null ->
          reason(batch.getNextException());
      case DataAccessException asked when asked.getCause() instanceof SQLException cause ->
          reason(cause);
      default -> String.valueOf(failure.getMessage());
    };
  }

  private static String said(ServerErrorMessage answer) {
    String sentence = String.valueOf(answer.getMessage());
    return answer.getHint() == null ? sentence : sentence + " (" + answer.getHint() + ")";
  }
}

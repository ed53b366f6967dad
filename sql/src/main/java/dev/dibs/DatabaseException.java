package dev.dibs;

import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/**
 * The database could not answer. Unless said otherwise nothing was changed and the call may be
 * repeated.
 */
public class DatabaseException extends DibsException {
  private final @Nullable String sqlState;

  public DatabaseException(String doing, SQLException cause) {
    super(doing + ": " + cause.getMessage(), cause);
    this.sqlState = cause.getSQLState();
  }

  /** The SQLSTATE of the failure, or an empty string where the driver gave none. */
  public String sqlState() {
    return sqlState == null ? "" : sqlState;
  }
}

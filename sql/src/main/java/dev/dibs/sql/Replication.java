package dev.dibs.sql;

import java.sql.SQLException;
import java.sql.SQLWarning;
import org.jspecify.annotations.Nullable;
import org.postgresql.util.PSQLWarning;
import org.postgresql.util.ServerErrorMessage;

/**
 * Tells a commit that is on one server only from one that is safe. When somebody cancels the wait
 * for a synchronous standby, PostgreSQL calls the statement a success and adds a warning.
 */
public final class Replication {
  /** "Transaction resolution unknown". */
  public static final String UNKNOWN = "08007";

  private static final String WARNING = "01000";

  /** Triggers warn under the same state; only this routine of the server means the commit. */
  private static final String ROUTINE = "SyncRepWaitForLSN";

  private Replication() {}

  /**
   * Looks at the warnings of a statement or connection that has just committed.
   *
   * @throws SQLException of state {@link #UNKNOWN} if one of them says that the wait was cancelled
   */
  public static void check(@Nullable SQLWarning warnings) throws SQLException {
    for (SQLWarning each = warnings; each != null; each = each.getNextWarning()) {
      if (isCancelledWait(each)) {
        throw new SQLException(
            "committed, but the wait for its replication was cancelled: " + each.getMessage(),
            UNKNOWN,
            each);
      }
    }
  }

  private static boolean isCancelledWait(SQLWarning warning) {
    if (!WARNING.equals(warning.getSQLState())) return false;
    @Nullable ServerErrorMessage said =
        warning instanceof PSQLWarning psql ? psql.getServerErrorMessage() : null;
    return said != null && ROUTINE.equals(said.getRoutine());
  }
}

package dev.dibs.operations;

import dev.dibs.DatabaseException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;

/**
 * One question of the doctor's.
 *
 * @param name that of the finding
 * @param what is looked for, to be read after "could not check"
 * @param grant what would allow it, where the role in use may not
 */
record Check(String name, String what, String grant, Examination examination) {
  /** Looks, and judges what it saw. */
  interface Examination {
    Finding at(Connection connection, String name) throws SQLException;
  }

  static final String STATISTICS = "grant pg_read_all_stats to this role";

  /** The finding, one that says so where the look failed. */
  Finding make(Connection connection, Duration atMost) {
    if (!atMost.isPositive()) return unknown("the time for all checks was over", "run it again");
    try {
      return ShortLook.take(connection, atMost, c -> examination.at(c, name));
    } catch (SQLException e) {
      return unknown(ShortLook.why(e), "42501".equals(e.getSQLState()) ? grant : "run it again");
    } catch (DatabaseException e) {
      return unknown("SQLSTATE " + e.sqlState(), "run it again");
    }
  }

  private Finding unknown(String why, String cure) {
    return Finding.unknown(name, "could not check " + what + ": " + why, cure);
  }
}

package dev.dibs.console;

import dev.dibs.sql.Schema;
import javax.sql.DataSource;

/**
 * What the console reads from and acts on.
 *
 * @param reads few connections, with timeouts, so that no page hurts the queue
 * @param writes fewer, for actions alone
 * @param bulks {@link #FOR_BULKS} more, lent for as long as a bulk takes
 * @param label where it is, for the foot of the page
 */
public record ConsoleDatabase(
    DataSource reads, DataSource writes, DataSource bulks, Schema schema, String label) {
  /** So many connections are of use for bulks. */
  public static final int FOR_BULKS = Drives.MOST + 1;
}

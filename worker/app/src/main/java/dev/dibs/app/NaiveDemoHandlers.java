package dev.dibs.app;

import dev.dibs.Outcome;
import dev.dibs.worker.Handlers;
import dev.dibs.worker.RunningTask;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;
import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;

/**
 * The same handlers as many are written first: they read, decide and write without locks, every
 * statement a commit of its own, and the task is completed afterwards. What goes wrong here shows
 * that the demo's checks can fail.
 */
final class NaiveDemoHandlers {
  /** What a handler does on a connection. */
  private interface Work {
    void on(DSLContext dsl);
  }

  private final DataSource dataSource;
  private final String process;

  /**
   * Handlers that write in the name of one process; connections find the demo's tables by search
   * path.
   */
  NaiveDemoHandlers(DataSource dataSource, String process) {
    this.dataSource = dataSource;
    this.process = process;
  }

  Handlers handlers() {
    return new Handlers()
        .handle(DemoDomain.TRANSFER, this::transfer)
        .handle(DemoDomain.BOOKING, this::book)
        .handle(DemoDomain.ACCEPTANCE, this::accept);
  }

  /**
   * Two that read the same balance write two results, and the second forgets the first: the lost
   * update.
   */
  private Outcome transfer(DemoDomain.Transfer transfer, RunningTask task) throws SQLException {
    onOwnConnection(dsl -> {
      BigDecimal amount = BigDecimal.valueOf(transfer.cents(), 2);
      BigDecimal from = balance(dsl, transfer.from());
      BigDecimal to = balance(dsl, transfer.to());
      boolean covered = from.compareTo(amount) >= 0;
      if (covered) {
        dsl.execute(
            "update account set balance = ? where id = ?", from.subtract(amount), transfer.from());
        dsl.execute("update account set balance = ? where id = ?", to.add(amount), transfer.to());
        dsl.execute(
            "insert into journal values (?, ?, ?, ?)",
            task.id(),
            transfer.from(),
            transfer.to(),
            amount);
      }
      note(dsl, task, covered ? "transferred" : "not covered");
    });
    return Outcome.done();
  }

  private static BigDecimal balance(DSLContext dsl, int account) {
    return dsl.fetchSingle("select balance from account where id = ?", account)
        .get(0, BigDecimal.class);
  }

  /** Two that see the same last seat free both sell it. */
  private Outcome book(DemoDomain.Booking booking, RunningTask task) throws SQLException {
    onOwnConnection(dsl -> {
      var event = dsl.fetchSingle("select seats, sold from event where id = 1");
      int sold = event.get(1, Integer.class);
      boolean free = sold < event.get(0, Integer.class);
      if (free) {
        dsl.execute("insert into seat values (?, ?)", sold + 1, booking.buyer());
        dsl.execute("update event set sold = ? where id = 1", sold + 1);
      }
      note(dsl, task, free ? "booked" : "sold out");
    });
    return Outcome.done();
  }

  /** Two managers who both find the project open both accept. */
  private Outcome accept(DemoDomain.Acceptance acceptance, RunningTask task) throws SQLException {
    onOwnConnection(dsl -> {
      var project =
          dsl.fetchSingle("select accepted from project where id = ?", acceptance.project());
      boolean open = project.get(0) == null;
      String state = open ? "accepted" : "rejected";
      dsl.execute("update proposal set state = ? where id = ?", state, acceptance.proposal());
      if (open) {
        dsl.execute(
            "update project set accepted = ? where id = ?",
            acceptance.proposal(),
            acceptance.project());
      }
      note(dsl, task, state);
    });
    return Outcome.done();
  }

  private void onOwnConnection(Work work) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      work.on(DSL.using(connection, SQLDialect.POSTGRES));
    }
  }

  private void note(DSLContext dsl, RunningTask task, String result) {
    dsl.execute("insert into effect values (?, ?, ?)", task.id(), process, result);
  }
}

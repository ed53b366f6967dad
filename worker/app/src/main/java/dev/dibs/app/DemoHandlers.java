package dev.dibs.app;

import dev.dibs.Outcome;
import dev.dibs.worker.Handlers;
import dev.dibs.worker.RunningTask;
import dev.dibs.worker.TaskTransaction;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import org.jooq.DSLContext;
import org.jooq.exception.DataAccessException;

/**
 * The handlers of the demo as they ought to be: they lock what they decide on, and their writes and
 * the task's completion are one commit.
 */
final class DemoHandlers {
  private static final String LOCK_NOT_AVAILABLE = "55P03";

  private final String schema;
  private final String process;

  /** Handlers that write to the demo schema in the name of one process. */
  DemoHandlers(String schema, String process) {
    this.schema = schema;
    this.process = process;
  }

  Handlers handlers() {
    return new Handlers()
        .handle(DemoDomain.TRANSFER, this::transfer)
        .handle(DemoDomain.BOOKING, this::book)
        .handle(DemoDomain.ACCEPTANCE, this::accept);
  }

  /**
   * Both accounts are locked in one order, whoever sends: two transfers never wait for each other
   * in a circle.
   */
  private Outcome transfer(DemoDomain.Transfer transfer, RunningTask task) throws Exception {
    task.transaction(transaction -> {
      DSLContext dsl = here(transaction);
      BigDecimal amount = BigDecimal.valueOf(transfer.cents(), 2);
      var locked =
          dsl.fetch(
              "select id, balance from account where id in (?, ?) order by id for update",
              transfer.from(),
              transfer.to());
      BigDecimal balance =
          locked.stream()
              .filter(row -> row.get(0, Integer.class) == transfer.from())
              .map(row -> row.get(1, BigDecimal.class))
              .findFirst()
              .orElseThrow();
      boolean covered = balance.compareTo(amount) >= 0;
      if (covered) {
        dsl.execute(
            "update account set balance = balance - ? where id = ?", amount, transfer.from());
        dsl.execute("update account set balance = balance + ? where id = ?", amount, transfer.to());
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

  /**
   * A busy event is no reason to wait with a connection in hand: the task comes again in a few
   * milliseconds.
   */
  private Outcome book(DemoDomain.Booking booking, RunningTask task) throws Exception {
    try {
      task.transaction(transaction -> {
        DSLContext dsl = here(transaction);
        var event = dsl.fetchSingle("select seats, sold from event where id = 1 for update nowait");
        int sold = event.get(1, Integer.class);
        boolean free = sold < event.get(0, Integer.class);
        if (free) {
          dsl.execute("update event set sold = sold + 1 where id = 1");
          dsl.execute("insert into seat values (?, ?)", sold + 1, booking.buyer());
        }
        note(dsl, task, free ? "booked" : "sold out");
      });
      return Outcome.done();
    } catch (DataAccessException e) {
      if (!LOCK_NOT_AVAILABLE.equals(e.sqlState())) throw e;
      return Outcome.snooze(Duration.ofMillis(ThreadLocalRandom.current().nextLong(2, 12)));
    }
  }

  /** Who locks the project first decides; those who come later see the decision. */
  private Outcome accept(DemoDomain.Acceptance acceptance, RunningTask task) throws Exception {
    task.transaction(transaction -> {
      DSLContext dsl = here(transaction);
      var project =
          dsl.fetchSingle(
              "select accepted from project where id = ? for update", acceptance.project());
      boolean open = project.get(0) == null;
      if (open) {
        dsl.execute(
            "update project set accepted = ? where id = ?",
            acceptance.proposal(),
            acceptance.project());
      }
      String state = open ? "accepted" : "rejected";
      dsl.execute("update proposal set state = ? where id = ?", state, acceptance.proposal());
      note(dsl, task, state);
    });
    return Outcome.done();
  }

  private DSLContext here(TaskTransaction transaction) {
    transaction.execute("set local search_path to " + schema);
    return transaction.dsl();
  }

  private void note(DSLContext dsl, RunningTask task, String result) {
    dsl.execute("insert into effect values (?, ?, ?)", task.id(), process, result);
  }
}

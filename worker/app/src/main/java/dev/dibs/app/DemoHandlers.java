package dev.dibs.app;

import dev.dibs.Outcome;
import dev.dibs.worker.Handlers;
import dev.dibs.worker.RunningTask;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import org.jooq.DSLContext;
import org.jooq.exception.DataAccessException;

/**
 * The handlers of the demo as they ought to be: they lock what they decide on, and their writes and
 * the task's completion are one commit.
 */
final class DemoHandlers {
  private static final String LOCK_NOT_AVAILABLE = "55P03";
  private static final long SHORTEST_SNOOZE_MILLIS = 2;
  private static final long LONGEST_SNOOZE_MILLIS = 100;

  private final String process;

  /**
   * Handlers that write in the name of one process; connections find the demo's tables by their
   * search path.
   */
  DemoHandlers(String process) {
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
      DSLContext dsl = transaction.dsl();
      BigDecimal amount = BigDecimal.valueOf(transfer.cents(), 2);
      int from = transfer.from();
      int to = transfer.to();
      Map<Integer, BigDecimal> balances =
          dsl.fetch(
                  "select id, balance from account where id in (?, ?) order by id for update",
                  from,
                  to)
              .intoMap(row -> row.get(0, Integer.class), row -> row.get(1, BigDecimal.class));
      boolean covered = balances.getOrDefault(from, BigDecimal.ZERO).compareTo(amount) >= 0;
      if (covered) {
        dsl.execute(
            "update account set balance = balance + case id when ? then -? else ? end where id in (?, ?)",
            from,
            amount,
            amount,
            from,
            to);
        dsl.execute("insert into journal values (?, ?, ?, ?)", task.id(), from, to, amount);
      }
      note(dsl, task, covered ? "transferred" : "not covered");
    });
    return Outcome.done();
  }

  /**
   * A busy event is no reason to wait with a connection in hand: the task comes again in a few
   * milliseconds. Seats are never given back, so who finds none free need not lock to be told.
   */
  private Outcome book(DemoDomain.Booking booking, RunningTask task) throws Exception {
    try {
      task.transaction(transaction -> {
        DSLContext dsl = transaction.dsl();
        boolean free = hasFreeSeat(dsl, "") && hasFreeSeat(dsl, " for update nowait");
        if (free) {
          dsl.execute(
              """
              with sale as (update event set sold = sold + 1 where id = 1 returning sold)
              insert into seat select sold, ? from sale\
              """,
              booking.buyer());
        }
        note(dsl, task, free ? "booked" : "sold out");
      });
      return Outcome.done();
    } catch (DataAccessException e) {
      if (!LOCK_NOT_AVAILABLE.equals(e.sqlState())) throw e;
      return Outcome.snooze(snooze(task.attempt()));
    }
  }

  private static boolean hasFreeSeat(DSLContext dsl, String locking) {
    return dsl.fetchSingle("select sold < seats from event where id = 1" + locking)
        .get(0, Boolean.class);
  }

  /**
   * A few milliseconds, more of them the more often the event was busy: a crowd that keeps knocking
   * serves nobody.
   */
  private static Duration snooze(int attempt) {
    long longest = Math.min(LONGEST_SNOOZE_MILLIS, SHORTEST_SNOOZE_MILLIS + 5L * attempt);
    return Duration.ofMillis(ThreadLocalRandom.current().nextLong(SHORTEST_SNOOZE_MILLIS, longest));
  }

  /** Who locks the project first decides; those who come later see the decision. */
  private Outcome accept(DemoDomain.Acceptance acceptance, RunningTask task) throws Exception {
    task.transaction(transaction -> {
      DSLContext dsl = transaction.dsl();
      int project = acceptance.project();
      Object accepted =
          dsl.fetchSingle("select accepted from project where id = ? for update", project).get(0);
      String state = accepted == null ? "accepted" : "rejected";
      if (accepted == null) {
        dsl.execute("update project set accepted = ? where id = ?", acceptance.proposal(), project);
      }
      dsl.execute("update proposal set state = ? where id = ?", state, acceptance.proposal());
      note(dsl, task, state);
    });
    return Outcome.done();
  }

  private void note(DSLContext dsl, RunningTask task, String result) {
    dsl.execute("insert into effect values (?, ?, ?)", task.id(), process, result);
  }
}

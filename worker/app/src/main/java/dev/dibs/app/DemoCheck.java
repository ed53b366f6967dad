package dev.dibs.app;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jooq.DSLContext;

/**
 * What is true at the end of the demo, read back from the database alone.
 *
 * @param broken what does not hold, each in one sentence; empty: everything holds
 */
record DemoCheck(Tasks tasks, Money money, Seats seats, Proposals proposals, List<String> broken) {
  record Tasks(long enqueued, long succeeded, long dead, long runs, long rescued, long refused) {}

  record Money(BigDecimal expected, BigDecimal actual, long notInJournal, long negative) {}

  record Seats(long seats, long sold, long soldTwice) {}

  record Proposals(long projects, long accepted, long acceptedTwice) {}

  DemoCheck {
    broken = List.copyOf(broken);
  }

  boolean ok() {
    return broken.isEmpty();
  }

  /**
   * Reads and judges.
   *
   * @param shares what each process that lived to the end did
   */
  static DemoCheck of(
      DSLContext dsl, String dibs, String queue, DemoSize size, Map<String, Long> shares) {
    Tasks tasks = tasks(dsl, dibs, queue, size);
    Money money = money(dsl, size);
    Seats seats =
        new Seats(
            size.seats(),
            number(dsl, "select count(*) from seat"),
            number(
                dsl,
                "select count(*) from (select number from seat group by number having count(*) > 1) twice"));
    Proposals proposals =
        new Proposals(
            size.projects(),
            number(dsl, "select count(*) from proposal where state = 'accepted'"),
            number(
                dsl,
                "select count(*) from (select project from proposal where state = 'accepted' group by project having count(*) > 1) twice"));
    List<String> broken = new ArrayList<>();
    judgeTasks(dsl, tasks, broken);
    judgeMoney(money, broken);
    judgeSeats(seats, number(dsl, "select sold from event"), broken);
    judgeProposals(dsl, proposals, broken);
    shares.forEach((process, share) ->
        expect(share > 0, "process " + process + " had no share of the work", broken));
    return new DemoCheck(tasks, money, seats, proposals, broken);
  }

  private static Tasks tasks(DSLContext dsl, String dibs, String queue, DemoSize size) {
    String history = " from \"" + dibs + "\".task_history where queue = ?";
    return new Tasks(
        size.tasks(),
        number(dsl, "select count(*)" + history + " and status = 'SUCCEEDED'", queue),
        number(dsl, "select count(*)" + history + " and status = 'DEAD'", queue),
        number(dsl, "select coalesce(sum(attempt), 0)" + history, queue),
        number(dsl, "select coalesce(sum(losses), 0)" + history, queue),
        number(dsl, "select coalesce(sum(runs), 0) from refusal"));
  }

  private static Money money(DSLContext dsl, DemoSize size) {
    long notInJournal =
        number(
            dsl,
            """
            select count(*) from account a
            where balance <> ? + (select coalesce(sum(amount), 0) from journal where receiver = a.id)
                               - (select coalesce(sum(amount), 0) from journal where sender = a.id)
            """,
            DemoSize.BALANCE);
    BigDecimal actual =
        dsl.fetchSingle("select sum(balance) from account").get(0, BigDecimal.class);
    return new Money(
        size.money(),
        actual,
        notInJournal,
        number(dsl, "select count(*) from account where balance < 0"));
  }

  private static void judgeTasks(DSLContext dsl, Tasks tasks, List<String> broken) {
    long done = number(dsl, "select count(distinct task) from effect");
    long effects = number(dsl, "select count(*) from effect");
    expect(
        tasks.succeeded() == tasks.enqueued() && tasks.dead() == 0,
        "%d of %d tasks succeeded, %d are dead"
            .formatted(tasks.succeeded(), tasks.enqueued(), tasks.dead()),
        broken);
    expect(
        done == tasks.enqueued(),
        "%d of %d tasks had an effect".formatted(done, tasks.enqueued()),
        broken);
    expect(
        effects == done,
        "%d tasks had their effect more than once".formatted(effects - done),
        broken);
  }

  private static void judgeMoney(Money money, List<String> broken) {
    expect(
        money.actual().compareTo(money.expected()) == 0,
        "the accounts hold %s, it was %s".formatted(money.actual(), money.expected()),
        broken);
    expect(
        money.notInJournal() == 0,
        "%d accounts differ from the journal".formatted(money.notInJournal()),
        broken);
    expect(money.negative() == 0, "%d accounts are below zero".formatted(money.negative()), broken);
  }

  private static void judgeSeats(Seats seats, long counted, List<String> broken) {
    expect(
        seats.soldTwice() == 0,
        "%d seats were sold more than once".formatted(seats.soldTwice()),
        broken);
    expect(
        seats.sold() == seats.seats() && counted == seats.seats(),
        "%d tickets were sold for %d seats, the event counts %d"
            .formatted(seats.sold(), seats.seats(), counted),
        broken);
  }

  private static void judgeProposals(DSLContext dsl, Proposals proposals, List<String> broken) {
    expect(
        proposals.acceptedTwice() == 0,
        "%d projects accepted more than one proposal".formatted(proposals.acceptedTwice()),
        broken);
    expect(
        proposals.accepted() == proposals.projects(),
        "%d proposals were accepted for %d projects"
            .formatted(proposals.accepted(), proposals.projects()),
        broken);
    long undecided = number(dsl, "select count(*) from proposal where state = 'open'");
    expect(undecided == 0, "%d proposals were never answered".formatted(undecided), broken);
  }

  private static void expect(boolean holds, String otherwise, List<String> broken) {
    if (!holds) broken.add(otherwise);
  }

  private static long number(DSLContext dsl, String sql, Object... parameters) {
    return dsl.fetchSingle(sql, parameters).get(0, Long.class);
  }
}

package dev.dibs.app;

import dev.dibs.Kind;
import dev.dibs.NewTask;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jooq.DSLContext;

/**
 * The small world of the demo: accounts, an event with too few seats, projects with too many
 * proposals.
 *
 * <p>Nothing here keeps the handlers honest: no unique seat, no check on a balance. What holds at
 * the end holds because of the locks they take.
 *
 * @param schema its own, made for one run of the demo
 */
record DemoDomain(String schema, DemoSize size) {
  record Transfer(int from, int to, int cents) {}

  record Booking(int buyer) {}

  record Acceptance(int project, int proposal) {}

  static final Kind<Transfer> TRANSFER = Kind.of("demo-transfer", Transfer.class);
  static final Kind<Booking> BOOKING = Kind.of("demo-booking", Booking.class);
  static final Kind<Acceptance> ACCEPTANCE = Kind.of("demo-acceptance", Acceptance.class);

  private static final long SEED = 42;
  private static final int LARGEST_TRANSFER_CENTS = 40_000;

  /** Creates the schema and everything in it. */
  void create(DSLContext dsl) {
    dsl.execute("create schema " + schema);
    dsl.execute("set search_path to " + schema);
    dsl.execute("create table account (id int primary key, balance numeric(12, 2) not null)");
    dsl.execute(
        "create table journal (task uuid, sender int not null, receiver int not null, amount numeric(12, 2) not null)");
    dsl.execute(
        "create table event (id int primary key, seats int not null, sold int not null default 0)");
    dsl.execute("create table seat (number int not null, buyer int not null)");
    dsl.execute("create table project (id int primary key, accepted int)");
    dsl.execute(
        "create table proposal (id int primary key, project int not null, state text not null default 'open')");
    dsl.execute(
        "create table effect (task uuid not null, process text not null, result text not null)");
    dsl.execute("create table refusal (process text primary key, runs int not null)");
    dsl.execute(
        "insert into account select n, ? from generate_series(1, ?) n",
        DemoSize.BALANCE,
        DemoSize.ACCOUNTS);
    dsl.execute("insert into event (id, seats) values (1, ?)", size.seats());
    dsl.execute("insert into project select n from generate_series(1, ?) n", size.projects());
    dsl.execute(
        "insert into proposal select (p - 1) * ? + m, p from generate_series(1, ?) p, generate_series(1, ?) m",
        DemoSize.MANAGERS,
        size.projects(),
        DemoSize.MANAGERS);
    dsl.execute("analyze");
  }

  /**
   * All tasks, in an order that is the same in every run: the scenarios mixed evenly, the proposals
   * of one project side by side so that their managers meet.
   */
  List<NewTask<?>> tasks(String queue) {
    var random = new Random(SEED);
    List<NewTask<?>> tasks = new ArrayList<>(size.tasks());
    int buyer = 0;
    int project = 0;
    while (tasks.size() < size.tasks()) {
      double share = (double) tasks.size() / size.tasks();
      if (buyer < size.buyers() && (double) buyer / size.buyers() <= share) {
        tasks.add(BOOKING.task(new Booking(++buyer)).queue(queue));
      } else if (project < size.projects() && (double) project / size.projects() <= share) {
        project++;
        for (int manager = 1; manager <= DemoSize.MANAGERS; manager++) {
          int proposal = (project - 1) * DemoSize.MANAGERS + manager;
          tasks.add(ACCEPTANCE.task(new Acceptance(project, proposal)).queue(queue));
        }
      } else {
        tasks.add(TRANSFER.task(transfer(random)).queue(queue));
      }
    }
    return tasks;
  }

  private static Transfer transfer(Random random) {
    int from = 1 + random.nextInt(DemoSize.ACCOUNTS);
    int to = 1 + (from + random.nextInt(DemoSize.ACCOUNTS - 1)) % DemoSize.ACCOUNTS;
    return new Transfer(from, to, 1 + random.nextInt(LARGEST_TRANSFER_CENTS));
  }
}

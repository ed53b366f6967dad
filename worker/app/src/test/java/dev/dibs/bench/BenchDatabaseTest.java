package dev.dibs.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.dibs.DibsException;
import dev.dibs.sql.Schema;
import dev.dibs.testing.TestDatabase;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class BenchDatabaseTest {
  private final TestDatabase server = TestDatabase.createEmpty();
  private final BenchDatabase db =
      new BenchDatabase(server.dataSource(), server.dataSource(), new Schema("b"));

  @AfterEach
  void drop() {
    db.close();
    server.close();
  }

  @Test
  void fill_makesIdsThatGrowWithPositionsAsRealOnesDo() {
    db.reset(false);
    db.fill(2_000);
    db.fillTomorrow(500);
    db.fill(2_000);
    assertThat(db.tasks()).isEqualTo(4_500);
    assertThat(db.number("select count(*) from $task where substr(id::text, 15, 1) = '7'"))
        .as("of version 7")
        .isEqualTo(4_500);
    assertThat(db.number("select count(*) from $task where substr(id::text, 20, 1) ~ '[89ab]'"))
        .as("of the variant of RFC 9562")
        .isEqualTo(4_500);
    assertThat(
            db.number(
                "select count(*) from (select id <= lag(id) over (order by position) as falls from $task) t where falls"))
        .as("ids that do not grow")
        .isZero();
    assertThat(
            db.number(
                """
                select max(abs(extract(epoch from now()) * 1000
                  - ('x' || replace(left(id::text, 13), '-', ''))::bit(48)::bigint)) from $task\
                """))
        .as("milliseconds between an id's time and now")
        .isLessThan(60_000);
    assertThat(
            db.number("select count(*) from $task where status = 'SCHEDULED' and run_at > now()"))
        .isEqualTo(500);
  }

  @Test
  void tail_waitsForTheFirstTasksAndForNoOther() throws Exception {
    db.reset(false);
    db.fill(30);
    var first = new Tail(db, 10);
    long tenth = (long) db.number("select min(position) from $task") + 9;
    Thread ending =
        Thread.ofVirtual()
            .start(() -> {
              db.execute("delete from $task where position < " + tenth);
              db.execute("delete from $task where position = " + tenth);
            });
    first.awaitDrained();
    assertThat(db.tasks()).isEqualTo(20);
    ending.join();
  }

  @Test
  void rawDrain_endsAsManyAsAskedAndFollowsInserts() throws Exception {
    db.reset(true);
    db.fill(2_500);
    try (var raw = new RawDrain(db, new RawDrain.Shape(3, 100), true)) {
      assertThat(raw.drain(1_050)).isEqualTo(1_050);
      assertThat(db.tasks()).isEqualTo(1_450);
      SideBySide.both(
          () -> {
            db.fill(50);
            return true;
          },
          () -> raw.follow(1_500));
    }
    Confirm.claimedOnce(db, 2_550);
  }

  @Test
  void rawDrain_findsWhatDrewItsPositionEarlyAndCommittedLate() throws Exception {
    db.reset(true);
    try (var late = db.connect();
        var raw = new RawDrain(db, RawDrain.BEST, true)) {
      late.setAutoCommit(false);
      RawInsert.single(db, late, 1);
      db.fill(1);
      SideBySide.both(
          () -> {
            Await.until(
                "the one above", () -> db.number("select count(*) from $task_history") == 1);
            late.commit();
            return true;
          },
          () -> raw.follow(2));
    }
    Confirm.claimedOnce(db, 2);
  }

  @Test
  void confirm_refusesWhatTheDatabaseDoesNotShow() throws Exception {
    db.reset(true);
    db.fill(10);
    assertThatThrownBy(() -> Confirm.count(db, 11))
        .isInstanceOf(DibsException.class)
        .hasMessageContaining("10 tasks, 11 were to be there");
    db.execute("update $task set attempt = 1 where position = (select min(position) from $task)");
    try (var raw = new RawDrain(db, RawDrain.BEST, true)) {
      raw.drain();
    }
    Confirm.finished(db, 10, true);
    assertThatThrownBy(() -> Confirm.claimedOnce(db, 10))
        .as("one was given out twice")
        .hasMessageContaining("at the first attempt, holds 9 tasks");
    db.execute("insert into $task_history select * from $task_history where attempt = 2");
    db.execute(
        "delete from $task_history where ctid in (select ctid from $task_history where attempt = 1 limit 1)");
    assertThatThrownBy(() -> Confirm.finished(db, 10, true))
        .as("one ended twice, another was lost")
        .hasMessageContaining("by id, holds 9 tasks");
  }

  @Test
  void writes_areCountedAtOnce() {
    db.reset(false);
    double asked = Double.MAX_VALUE;
    for (int i = 0; i < 5; i++) { // autovacuum writes too, anywhere on the server
      double before = db.writes();
      db.fill(1);
      asked = Math.min(asked, db.writes() - before);
    }
    assertThat(asked).as("an insert, and what vacuum and analyze write").isBetween(1.0, 10.0);
  }
}

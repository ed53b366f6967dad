package dev.dibs.sql;

import static org.assertj.core.api.Assertions.assertThat;

import dev.dibs.testing.TestRoles;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * A producer who may do nothing but enqueue tries to have code of his run with the owner's rights,
 * or his task go astray, by objects that have the names of ours. Each trap is set for a function
 * that is written carelessly too, which must fall into it: else the trap proves nothing.
 */
class HijackTest {
  private final TestRoles roles = new TestRoles();
  private final String schema = roles.schema().name();
  private final Session attacker = new Session(roles.connectAs("producer"));
  private String attackerName = "";

  /** The attacker has a schema of his own, as users often have. */
  @BeforeEach
  void giveTheAttackerASchema() throws SQLException {
    attackerName = attacker.value("select current_user");
    roles.db().execute("create schema evil authorization " + attackerName);
    attacker.execute(
        """
        create table evil.caught (what text, who text);
        grant all on evil.caught to public; grant usage on schema evil to public;
        create function evil.catch(what text) returns void language sql as
          $$ insert into evil.caught values (what, current_user) $$;
        create function evil.spring() returns trigger language plpgsql as
          $$ begin perform evil.catch('trigger'); return new; end $$\
        """);
    careless();
  }

  @AfterEach
  void drop() throws SQLException {
    attacker.close();
    roles.close();
  }

  /** Inserts with its owner's rights, and looks for names wherever its caller says. */
  private void careless() {
    roles
        .db()
        .execute(
            """
            create function %1$s.careless(kind text) returns void language plpgsql security definer as $$
            begin
              insert into task (id, kind, run_at) values (gen_random_uuid(), kind, now());
              perform pg_notify('x', upper(kind)) where kind = 'mail';
            end $$;
            alter function %1$s.careless(text) owner to %1$s_owner; grant execute on function %1$s.careless(text) to public\
            """
                .formatted(schema));
  }

  private List<String> caughtAsOwner() throws SQLException {
    return attacker
        .rows("select distinct what from evil.caught where who <> ? order by 1", attackerName)
        .stream()
        .map(row -> String.valueOf(row.getFirst()))
        .toList();
  }

  /** All ways in that the attacker may use; each must leave a task in the real table. */
  private void enqueueInEveryWay() throws SQLException {
    attacker.execute("select %s.enqueue('mail', '1')".formatted(schema));
    attacker.execute(
        "select %s.enqueue('mail', '2', unique_key => 'k', on_conflict => 'replace')"
            .formatted(schema));
    attacker.execute(
        "select %s.enqueue('mail', '3', unique_key => 'k', on_conflict => 'replace', delay => '1 s', headers => '{\"a\": \"b\"}')"
            .formatted(schema));
    attacker.execute(
        "select %s.enqueue_many('[{\"kind\": \"mail\", \"payload\": 4, \"uniqueKey\": \"l\"}, {\"kind\": \"mail\", \"payload\": 5}]')"
            .formatted(schema));
    attacker.execute(
        "select %s.enqueue_rows(array_fill(null::uuid, '{3}'), '{default,default,default}', '{mail,mail,mail}', null, null, '{6,7,8}', null, null, null, null, array[null, 'm', 'w'], null, array[null, null, 3600000000], array[null, 'replace', 'keep'], true)"
            .formatted(schema));
    assertThat(
            roles
                .db()
                .value(
                    "select string_agg(payload::text, ',' order by payload) from %s.task"
                        .formatted(schema)))
        .isEqualTo("1,3,4,5,6,7,8");
  }

  @Test
  void temporaryObjects_areNotTakenForOurs() throws SQLException {
    attacker.execute(
        """
        create temporary table task as select gen_random_uuid() as id, ''::text as kind, now() as run_at where false;
        alter table task add position bigint, add queue text, add payload jsonb, add unique_key text, add unique_hold boolean,
          add status text, add attempt int;
        grant all on task to public;
        create trigger spring before insert or update on task for each row execute function evil.spring();
        create temporary table task_history as select gen_random_uuid() as id;
        create temporary table unique_window (queue text, unique_key text, until timestamptz, task_id uuid, primary key (queue, unique_key));
        grant all on unique_window to public;
        create trigger spring before insert or update on unique_window for each row execute function evil.spring();
        create temporary sequence task_position;
        create temporary view queue as select 'mail' as name, interval '0' as retention, evil.catch('view') is null as caught;
        create type pg_temp.task_status as enum ('PENDING')\
        """);
    attacker.execute("select %s.careless('mail')".formatted(schema));
    assertThat(attacker.value("select count(*) from pg_temp.task")).isEqualTo("1");
    assertThat(caughtAsOwner()).containsExactly("trigger");
    attacker.execute("truncate evil.caught, pg_temp.task");
    enqueueInEveryWay();
    assertThat(attacker.value("select count(*) from pg_temp.task")).isEqualTo("0");
    assertThat(caughtAsOwner()).isEmpty();
  }

  @Test
  void functionsAndOperatorsOnTheCallersPath_areNotCalled() throws SQLException {
    attacker.execute(
        """
        create table evil.task (id uuid, kind text, run_at timestamptz);
        grant all on evil.task to public;
        create trigger spring before insert on evil.task for each row execute function evil.spring();
        create function evil.equal(text, text) returns boolean language plpgsql as
          $$ begin perform evil.catch('operator'); return true; end $$;
        create operator evil.= (leftarg = text, rightarg = text, function = evil.equal);
        create function evil.upper(text) returns text language plpgsql as
          $$ begin perform evil.catch('upper'); return $1; end $$;
        create function evil.octet_length(text) returns integer language plpgsql as
          $$ begin perform evil.catch('octet_length'); return 0; end $$;
        create function evil.pg_notify(text, text) returns void language plpgsql as
          $$ begin perform evil.catch('pg_notify'); end $$;
        create function evil.uuid7() returns uuid language plpgsql as
          $$ begin perform evil.catch('uuid7'); return gen_random_uuid(); end $$;
        create function evil.insert_task(text) returns boolean language plpgsql as
          $$ begin perform evil.catch('insert_task'); return true; end $$;
        create function evil.land_tasks(anyarray, text[], bigint[], out stands uuid[], out landings text[]) language plpgsql as
          $$ begin perform evil.catch('land_tasks'); end $$;
        set search_path = evil, pg_catalog\
        """);
    attacker.execute("select %s.careless('mail')".formatted(schema));
    assertThat(caughtAsOwner()).containsExactly("operator", "pg_notify", "trigger", "upper");
    attacker.execute("truncate evil.caught, evil.task");
    enqueueInEveryWay();
    assertThat(attacker.value("select count(*) from evil.task")).isEqualTo("0");
    assertThat(caughtAsOwner()).isEmpty();
  }

  /** The one who only looks sets the same traps for the function that looks. */
  @Test
  void explain_readsOursAndCallsNobodysElse() throws SQLException {
    roles.db().execute("grant %s_viewer to %s".formatted(schema, attackerName));
    String id = attacker.value("select %s.enqueue('mail', '1')".formatted(schema));
    attacker.execute(
        """
        create temporary view task as select 'x' as id, evil.catch('task') is null as caught;
        create temporary view queue as select 'x' as name, evil.catch('queue') is null as caught;
        create temporary view worker as select 'x' as id, evil.catch('worker') is null as caught;
        create temporary view task_history as select 'x' as id, evil.catch('history') is null as caught;
        create function evil.spoken(interval) returns text language sql as
          $$ select evil.catch('spoken')::text $$;
        create function evil.equal(text, text) returns boolean language plpgsql as
          $$ begin perform evil.catch('operator'); return true; end $$;
        create operator evil.= (leftarg = text, rightarg = text, function = evil.equal);
        create function evil.format(text, text) returns text language plpgsql as
          $$ begin perform evil.catch('format'); return ''; end $$;
        set search_path = evil, pg_temp, pg_catalog; set standard_conforming_strings = off;
        set intervalstyle = 'iso_8601'; set datestyle = 'ISO, DMY'\
        """);
    assertThat(
            attacker.value(
                "select string_agg(code, ',' order by ordinal) from %s.explain('%s')"
                    .formatted(schema, id)))
        .isEqualTo("due,queue-active,kind-active,no-worker,next");
    assertThat(
            attacker.value(
                "select code from %s.explain(pg_catalog.gen_random_uuid())".formatted(schema)))
        .isEqualTo("never-heard-of");
    assertThat(caughtAsOwner()).isEmpty();
  }

  @Test
  void pathsThatLeadNowhere_changeNothing() throws SQLException {
    attacker.execute("set search_path = ''");
    enqueueInEveryWay();
  }

  /** Settings that change what SQL means are the caller's to make. */
  @Test
  void settingsOfTheCaller_changeNothing() throws SQLException {
    attacker.execute(
        """
        set standard_conforming_strings = off; set transform_null_equals = on; set array_nulls = off;
        set intervalstyle = 'iso_8601'; set datestyle = 'ISO, DMY'; set timezone = 'Pacific/Chatham'; set bytea_output = 'escape';
        set extra_float_digits = -15; set enable_indexscan = off; set enable_seqscan = on\
        """);
    enqueueInEveryWay();
    assertThat(
            roles.db().number("select count(*) from %s.task where attempt = 0".formatted(schema)))
        .isEqualTo(7);
  }

  @Test
  void rights_cannotBeTakenOrPassedOn() {
    for (String sql :
        List.of(
            "set role %s_owner",
            "grant %s_owner to current_user",
            "alter function %s.enqueue_many(jsonb) security invoker",
            "alter function %s.enqueue_many(jsonb) set search_path = evil",
            "create or replace function %s.schema_version() returns integer language sql as 'select 1'",
            "alter table %s.task disable trigger all",
            "create rule r as on insert to %s.task do also select 1",
            "create index on %s.task (kind)",
            "create view %s.v as select 1")) {
      assertThat(attacker.refused("42501", sql.formatted(schema))).isNotEmpty();
    }
  }
}

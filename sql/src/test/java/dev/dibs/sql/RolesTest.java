package dev.dibs.sql;

import static org.assertj.core.api.Assertions.assertThat;

import dev.dibs.testing.TestRoles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;

/** Who may do what, to the last column. */
class RolesTest {
  private static final Path GOLDEN = Path.of("src/test/resources/golden/roles.txt");

  /** Every role, and everybody, by every object of the schema and what may be done with it. */
  private static final String MATRIX =
      """
      with roles as (
        select n, role, case role when 'public' then role else current_schema() || '_' || role end as name
        from unnest('{owner,producer,worker,viewer,operator,public}'::text[]) with ordinality r (role, n)),
      things as (
        select c.oid, regexp_replace(c.relname, '_\\d{8}$', '_DAY') as name, c.relkind as kind from pg_class c
        where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p', 'v', 'S')
        union all
        select p.oid, p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')', 'f' from pg_proc p
        where p.pronamespace = current_schema()::regnamespace),
      rights as (
        select r.n, r.role, t.name as thing, case t.kind when 'S' then
            array(select p from unnest('{USAGE,SELECT,UPDATE}'::text[]) p where has_sequence_privilege(r.name, t.oid, p))
          when 'f' then array(select p from unnest('{EXECUTE}'::text[]) p where has_function_privilege(r.name, t.oid, p))
          else array(select p || case when has_table_privilege(r.name, t.oid, p) then '' else
              ' (' || (select string_agg(a.attname, ', ' order by a.attnum) from pg_attribute a
                where a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped and has_column_privilege(r.name, t.oid, a.attnum, p)) || ')' end
            from unnest('{SELECT,INSERT,UPDATE,REFERENCES}'::text[]) p where has_any_column_privilege(r.name, t.oid, p))
            || array(select p from unnest(string_to_array(?, ',')) p where has_table_privilege(r.name, t.oid, p))
          end as held
        from roles r cross join things t
        union all
        select r.n, r.role, '(schema)', array(select p from unnest('{USAGE,CREATE}'::text[]) p
          where has_schema_privilege(r.name, current_schema(), p)) from roles r)
      select distinct n, role || ' | ' || thing || ' | ' || array_to_string(held, ', ') from rights where held <> '{}' order by 1, 2\
      """;

  private final TestRoles roles = new TestRoles();
  private final String schema = roles.schema().name();

  @AfterEach
  void drop() {
    roles.close();
  }

  private String matrix() throws SQLException {
    try (Session session = Session.on(roles.db())) {
      session.execute("set search_path = " + schema);
      boolean maintains = session.connection().getMetaData().getDatabaseMajorVersion() >= 17;
      return session
              .rows(MATRIX, "DELETE,TRUNCATE,TRIGGER" + (maintains ? ",MAINTAIN" : ""))
              .stream()
              .map(row -> String.valueOf(row.get(1)))
              .collect(Collectors.joining("\n"))
          + "\n";
    }
  }

  @Test
  void everyRole_mayDoWhatWasReviewedAndNothingElse() throws IOException, SQLException {
    String matrix = matrix();
    if (System.getProperty("dibs.golden", "").equals("write")) Files.writeString(GOLDEN, matrix);
    String reviewed = Files.readString(GOLDEN);
    if (!matrix.contains("MAINTAIN")) reviewed = reviewed.replace(", MAINTAIN", "");
    assertThat(matrix).isEqualTo(reviewed);
  }

  @Test
  void grant_takesBackWhatElseWasGrantedAndIsDoneAsOftenAsOneLikes() throws SQLException {
    String before = matrix();
    roles.db().execute("grant all on all tables in schema %s to public".formatted(schema));
    roles.db().execute("grant all on schema %s to %s_producer".formatted(schema, schema));
    roles.db().execute("grant update (payload) on %s.task to %s_viewer".formatted(schema, schema));
    roles.db().execute("grant execute on all functions in schema %s to public".formatted(schema));
    assertThat(matrix()).isNotEqualTo(before);
    Roles.grant(roles.db().dataSource(), roles.schema());
    assertThat(matrix()).isEqualTo(before);
  }

  /** Who may create roles and a schema migrates, and goes on to: he is a member of the owner. */
  @Test
  void grant_needsNoSuperuser() throws SQLException {
    String migrator = schema + "_migrator";
    var theirs = new Schema(schema + "_b");
    var dataSource = new PGSimpleDataSource();
    dataSource.setUrl(roles.db().url());
    dataSource.setUser(migrator);
    dataSource.setPassword("secret");
    roles.db().execute("create role %s login createrole password 'secret'".formatted(migrator));
    roles
        .db()
        .execute(
            "grant create on database %s to %s".formatted(dataSource.getDatabaseName(), migrator));
    try {
      Migrations.migrate(dataSource, theirs);
      Roles.grant(dataSource, theirs);
      Roles.grant(dataSource, theirs);
      try (Session session = new Session(dataSource.getConnection())) {
        session.execute("alter table %s.task add column more integer".formatted(theirs.name()));
        assertThat(
                session.value(
                    "select has_function_privilege('%s_producer', '%s.enqueue_many(jsonb)', 'EXECUTE')"
                        .formatted(theirs.name(), theirs.name())))
            .isEqualTo("t");
      }
      assertThat(Migrations.migrate(dataSource, theirs)).isZero();
    } finally {
      roles.db().execute("drop schema if exists %s cascade".formatted(theirs.name()));
      for (String role : TestRoles.ROLES)
        roles.db().execute("drop role if exists %s_%s".formatted(theirs.name(), role));
      roles.db().execute("drop owned by " + migrator);
      roles.db().execute("drop role " + migrator);
    }
  }

  @Test
  void everything_belongsToTheOwnerAlsoWhatComesLater() throws SQLException {
    try (Session worker = new Session(roles.connectAs("worker"))) {
      assertThat(worker.value("select %s.create_history_partitions(5)".formatted(schema)))
          .isEqualTo("2");
    }
    assertThat(
            roles
                .db()
                .number(
                    """
                    select count(*) from (
                      select relowner from pg_class where relnamespace = ?::regnamespace
                      union all select proowner from pg_proc where pronamespace = ?::regnamespace
                      union all select typowner from pg_type where typnamespace = ?::regnamespace
                      union all select nspowner from pg_namespace where nspname = ?) o
                    where relowner <> ?::regrole\
                    """,
                    schema,
                    schema,
                    schema,
                    schema,
                    schema + "_owner"))
        .isZero();
  }

  /**
   * What runs with another's rights fixes where names are looked for, and is nobody's by default.
   */
  @Test
  void definersFunctions_fixTheirPathAndAreNotEverybodys() throws SQLException {
    try (Session session = Session.on(roles.db())) {
      var definers =
          session.rows(
              "select proname, proconfig::text, proacl::text ~ '[{,]=X' from pg_proc where prosecdef and pronamespace = ?::regnamespace order by 1",
              schema);
      assertThat(definers.stream().map(List::getFirst))
          .contains(
              "enqueue",
              "enqueue_many",
              "enqueue_rows",
              "cancel",
              "claim",
              "create_history_partitions");
      assertThat(definers)
          .allSatisfy(row -> {
            assertThat(row.get(1)).contains("\"search_path=" + schema + ", pg_temp\"");
            assertThat(row.get(2)).as(row.getFirst()).isEqualTo("f");
          });
      assertThat(
              session.rows(
                  "select proname from pg_proc where pronamespace = ?::regnamespace and has_function_privilege('public', oid, 'EXECUTE') order by 1",
                  schema))
          .containsExactly(List.of("schema_serves_from"), List.of("schema_version"));
    }
  }

  @Test
  void producer_enqueuesAndDoesNothingElse() throws SQLException {
    try (Session producer = new Session(roles.connectAs("producer"))) {
      String call = "select %s.enqueue('mail', '{\"to\": 7}')".formatted(schema);
      String id = producer.value(call);
      producer.execute(
          "select %s.enqueue_many('[{\"kind\": \"mail\", \"uniqueKey\": \"k\"}]')"
              .formatted(schema));
      assertThat(roles.db().number("select count(*) from %s.task".formatted(schema))).isEqualTo(2);
      var tables =
          producer.rows(
              """
              select c.relname, (select a.attname from pg_attribute a where a.attrelid = c.oid and a.attnum = 1), c.relkind = 'v'
              from pg_class c where c.relnamespace = ?::regnamespace and c.relkind in ('r', 'p', 'v')\
              """,
              schema);
      assertThat(tables).hasSizeGreaterThan(12);
      for (var table : tables) {
        String name = schema + "." + table.get(0);
        String column = String.valueOf(table.get(1));
        for (String sql :
            List.of(
                "select 1 from %s",
                "select " + column + " from %s",
                "insert into %s default values",
                "update %s set " + column + " = default",
                "delete from %s",
                "truncate %s",
                "copy %s to stdout",
                "create trigger t after insert on %s execute function suppress_redundant_updates_trigger()")) {
          boolean ofTablesOnly = sql.matches("(truncate|copy|create) .*");
          if ("t".equals(table.get(2)) && ofTablesOnly) continue;
          assertThat(producer.refused("42501", sql.formatted(name))).contains("permission denied");
        }
      }
      for (String sql :
          List.of(
              "select %s.cancel('" + id + "')",
              "select %s.cancel_unique('default', 'k')",
              "select %s.prune_history()",
              "select %s.create_history_partitions(9999)",
              "select %s.register('h', 1, '{q}', '{k}')",
              "select * from %s.claim(gen_random_uuid(), '{default}', '{mail}', 9)",
              "select %s.land_tasks('{}', '{}', '{}')",
              "select %s.stands_for(null)",
              "select %s.enqueue_windowed(null, 'keep', '1 s')",
              "select %s.uuid7()",
              "select nextval('%s.task_position')",
              "create table %s.mine (n int)",
              "create function %s.mine() returns int language sql as 'select 1'")) {
        assertThat(producer.refused("42501", sql.formatted(schema))).contains("permission denied");
      }
    }
  }

  @Test
  void viewer_seesTasksButNotWhatTheyCarry() throws SQLException {
    roles
        .db()
        .value(
            "select %s.enqueue('mail', '\"s3cr3t\"', headers => '{\"h\": \"s3cr3t\"}')"
                .formatted(schema));
    roles
        .db()
        .execute(
            "update %s.task set errors = '[{\"class\": \"IOException\", \"message\": \"s3cr3t\"}]'"
                .formatted(schema));
    roles.db().execute("select %s.cancel(id, 's3cr3t') from %s.task".formatted(schema, schema));
    roles.db().value("select %s.enqueue('mail', '\"s3cr3t\"')".formatted(schema));
    try (Session viewer = new Session(roles.connectAs("viewer"))) {
      for (String view : List.of("task_public", "task_history_public")) {
        assertThat(viewer.value("select v::text from %s.%s v".formatted(schema, view)))
            .contains("mail")
            .doesNotContain("s3cr3t");
      }
      assertThat(
              viewer.rows(
                  "select errors, last_error from %s.task_history_public".formatted(schema)))
          .containsExactly(List.of("2", "cancelled"));
      for (String sql :
          List.of(
              "select payload from %s.task",
              "select lease from %s.task",
              "select * from %s.task",
              "select payload from %s.task_history",
              "select payload from %s.schedule",
              "select %s.reveal_task(gen_random_uuid())",
              "select * from %s.pause_queue('q', 'why')",
              "select * from %s.retry_task(gen_random_uuid(), 'DEAD', 1)",
              "select * from %s.pause_schedule('s', 'why')",
              "select * from %s.run_schedule('s')",
              "select %s.prune_audit()",
              "insert into %s.audit (id, actor, source, action, target, result) values (gen_random_uuid(), 'a', '', 'b', 'c', 'done')",
              "select %s.cancel(gen_random_uuid())",
              "select %s.enqueue('mail')",
              "update %s.task_public set kind = 'x'",
              "update %s.queue set paused_at = now()"))
        viewer.refused("42501", sql.formatted(schema));
    }
  }

  @Test
  void operator_actsByFunctionsThatAreAuditedAndChangesNothingElse() throws SQLException {
    String id = roles.db().value("select %s.enqueue('mail', '\"s3cr3t\"')".formatted(schema));
    String other = roles.db().value("select %s.enqueue('mail')".formatted(schema));
    try (Session operator = new Session(roles.connectAs("operator"))) {
      assertThat(operator.value("select %s.cancel(?::uuid, 'why')".formatted(schema), other))
          .isEqualTo("PENDING");
      String reveal =
          "select %s.reveal_task(?::uuid, request => '%s')".formatted(schema, UUID.randomUUID());
      assertThat(operator.rows(reveal, id)).containsExactly(Collections.singletonList(null));
      assertThat(operator.value(reveal, id)).isEqualTo("\"s3cr3t\"");
      assertThat(
              operator.value(
                  "select result from %s.cancel_task(?::uuid, 'PENDING', 0)".formatted(schema), id))
          .isEqualTo("done");
      assertThat(
              operator.value("select result from %s.pause_queue('mail', 'why')".formatted(schema)))
          .isEqualTo("done");
      assertThat(
              operator.rows(
                  "select action, actor = session_user, login = session_user from %s.audit order by at"
                      .formatted(schema)))
          .containsExactly(
              List.of("payload.reveal", "t", "t"),
              List.of("task.cancel", "t", "t"),
              List.of("queue.pause", "t", "t"));
      for (String sql :
          List.of(
              "update %s.queue set paused_at = null",
              "insert into %s.kind (name) values ('k')",
              "update %s.audit set actor = 'somebody else'",
              "delete from %s.audit",
              "insert into %s.audit (id, actor, source, action, target, result) values (gen_random_uuid(), 'a', '', 'b', 'c', 'done')",
              "delete from %s.task_history",
              "update %s.worker set drained_at = now()",
              "select payload from %s.task_history",
              "update %s.schedule set paused_at = null",
              "select payload from %s.schedule",
              "select %s.retain_audit('30 days')",
              "select %s.prune_audit()",
              "update %s.audit_retention set kept = '30 days'",
              "select * from %s.act_on_task('task.delete', gen_random_uuid(), 'DEAD', 1, '{}', gen_random_uuid(), 'a', 'b', 'c')",
              "select %s.enqueue('mail')")) operator.refused("42501", sql.formatted(schema));
    }
  }
}

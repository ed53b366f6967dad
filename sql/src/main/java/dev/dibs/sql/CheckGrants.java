package dev.dibs.sql;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/** Reads what the role in use may do, from the catalogue. Thread-safe. */
public final class CheckGrants {
  /** What a role of {@code roles.sql} is for, and so what whoever has it needs. */
  public enum Role {
    WORKER("worker"),
    OPERATOR("operator"),
    VIEWER("viewer"),
    PRODUCER("producer");

    private final String suffix;

    Role(String suffix) {
      this.suffix = suffix;
    }

    /** The end of its name, behind the schema's. */
    public String suffix() {
      return suffix;
    }
  }

  /**
   * What the role in use may do.
   *
   * @param user its name
   * @param member whether it is a member of that role
   * @param lacking rights that this takes and it has not, such as {@code select on task}
   */
  public record Standing(String user, boolean member, List<String> lacking) {
    public Standing {
      lacking = List.copyOf(lacking);
    }
  }

  private record Right(String kind, String privilege, String name) {}

  private static final String LOOK =
      """
      select current_user, coalesce((select pg_has_role(r.oid, 'USAGE') from pg_roles r where r.rolname = ?), false),
        case when not coalesce((select has_schema_privilege(n.oid, 'usage') from pg_namespace n where n.nspname = ?), false)
        then 'usage on the schema' else array_to_string(array(
          select n.privilege || ' on ' || n.name from unnest(?::text[], ?::text[], ?::text[]) with ordinality n (kind, privilege, name, place)
          where not coalesce(case n.kind
            when 'table' then case when n.privilege in ('select', 'insert', 'update')
              then has_any_column_privilege(to_regclass(? || n.name), n.privilege)
              else has_table_privilege(to_regclass(? || n.name), n.privilege) end
            when 'sequence' then has_sequence_privilege(to_regclass(? || n.name), n.privilege)
            else has_function_privilege(case when n.name like '%)' then to_regprocedure(? || n.name)::oid
              else to_regproc(? || n.name)::oid end, n.privilege) end, false)
          order by n.place), '|') end\
      """;

  private final Schema schema;

  public CheckGrants(Schema schema) {
    this.schema = schema;
  }

  /** How the role in use stands to {@code role}. */
  public Standing standing(Connection connection, Role role) throws SQLException {
    List<Right> rights = rights(role);
    String prefix = "\"" + schema.name() + "\".";
    return Rows.one(
        connection,
        LOOK,
        row -> {
          String lacking = Rows.text(row, 3);
          return new Standing(
              Rows.text(row, 1),
              row.getBoolean(2),
              lacking.isEmpty() ? List.of() : List.of(lacking.split("\\|", -1)));
        },
        schema.name() + "_" + role.suffix(),
        schema.name(),
        new Arrays(connection).text(rights, Right::kind),
        new Arrays(connection).text(rights, Right::privilege),
        new Arrays(connection).text(rights, Right::name),
        prefix,
        prefix,
        prefix,
        prefix,
        prefix);
  }

  private static List<Right> rights(Role role) {
    List<Right> rights = new ArrayList<>();
    switch (role) {
      case WORKER -> {
        for (String table : List.of("task", "worker", "unique_window", "schedule"))
          tables(rights, table, "select", "insert", "update", "delete");
        tables(rights, "task_history", "select", "insert");
        for (String table : List.of("queue", "kind")) tables(rights, table, "select");
        tables(rights, "duty", "select", "update");
        tables(rights, "schedule_tick", "select", "insert", "delete");
        rights.add(new Right("sequence", "usage", "task_position"));
        functions(
            rights,
            "create_history_partitions(integer)",
            "prune_history()",
            "prune_history_rows",
            "prune_audit");
        functions(rights, "explain(uuid, text)");
      }
      case OPERATOR -> {
        rights.addAll(rights(Role.VIEWER));
        functions(rights, "cancel(uuid, text)", "cancel_unique(text, text, text)");
        functions(rights, "retry_task", "cancel_task", "delete_task", "move_task");
        functions(rights, "prioritise_task", "reschedule_task", "reveal_task");
        functions(rights, "pause_queue", "resume_queue", "pause_kind", "resume_kind");
        functions(rights, "retain_queue", "retain_queue_as_seen", "drain_worker", "undrain_worker");
        functions(rights, "pause_schedule", "resume_schedule", "run_schedule");
        functions(rights, "freeze_bulk", "count_bulk", "start_bulk", "step_bulk");
        functions(rights, "interrupt_bulk", "resume_bulk", "fail_bulk");
      }
      case VIEWER -> {
        for (String view : List.of("task_public", "task_history_public", "worker_public"))
          tables(rights, view, "select");
        for (String table :
            List.of("worker", "queue", "kind", "duty", "schedule", "audit", "bulk", "bulk_batch"))
          tables(rights, table, "select");
        functions(rights, "explain(uuid, text)");
      }
      case PRODUCER ->
          functions(
              rights,
              "enqueue(text, jsonb, text, integer, interval, timestamptz, integer, interval, jsonb, text, text, text, uuid)",
              "enqueue_many(jsonb)",
              "enqueue_rows");
    }
    return rights;
  }

  private static void tables(List<Right> rights, String table, String... privileges) {
    for (String privilege : privileges) rights.add(new Right("table", privilege, table));
  }

  /** By name, or with its parameters where a name may come to stand for several. */
  private static void functions(List<Right> rights, String... functions) {
    for (String function : functions) rights.add(new Right("function", "execute", function));
  }
}

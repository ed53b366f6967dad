-- parameters: uniqueKeys ids queues kinds priorities delays runAts maxAttempts timeouts payloads headers
insert into "dibs"."task" ("id", "queue", "kind", "priority", "status", "run_at", "max_attempts", "timeout", "payload", "headers", "unique_key") select "n"."id", "n"."queue", "n"."kind", "n"."priority", case when greatest(coalesce("n"."run_at", (statement_timestamp() + "n"."delay" * interval '1 microsecond')), statement_timestamp()) > statement_timestamp() then cast('SCHEDULED' as "dibs"."task_status") else cast('PENDING' as "dibs"."task_status") end, greatest(coalesce("n"."run_at", (statement_timestamp() + "n"."delay" * interval '1 microsecond')), statement_timestamp()), "n"."max_attempts", "n"."timeout" * interval '1 microsecond', cast("n"."payload" as jsonb), cast("n"."headers" as jsonb), "n"."unique_key"
  from unnest(cast(? as text[]), cast(? as uuid[]), cast(? as text[]), cast(? as text[]), cast(? as smallint[]), cast(? as bigint[]), cast(? as timestamp with time zone[]), cast(? as int[]), cast(? as bigint[]), cast(? as text[]), cast(? as text[])) as "n" ("unique_key", "id", "queue", "kind", "priority", "delay", "run_at", "max_attempts", "timeout", "payload", "headers")
  where (select "dibs"."task"."id"
  from "dibs"."task"
  where ("dibs"."task"."queue" = "n"."queue" and "dibs"."task"."id" = "n"."id") fetch next 1 rows only) is null on conflict ("unique_key", "queue")
  where ("unique_key" is not null and "attempt" = 0) do update
  set "kind" = excluded."kind", "payload" = excluded."payload", "headers" = excluded."headers"
  returning "dibs"."task"."id", "dibs"."task"."queue", "dibs"."task"."unique_key"

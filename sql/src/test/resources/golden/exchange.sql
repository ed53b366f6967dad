with "held" as materialized (select "e"."id", "e"."lease", "e"."status", "e"."error"
  from unnest(cast(? as uuid[]), cast(? as uuid[]), cast(? as text[]), cast(? as text[])) as "e" ("id", "lease", "status", "error")),
"deleted" as (delete
  from "dibs"."task"
  where ("dibs"."task"."id" = any (cast(? as uuid[])) and case when ("dibs"."task"."id", "dibs"."task"."lease") in (select "id", "lease"
  from "held") then true else false end)
  returning "dibs"."task"."id", "dibs"."task"."created_at", "dibs"."task"."run_at", "dibs"."task"."claimed_at", "dibs"."task"."lease", "dibs"."task"."worker_id", "dibs"."task"."priority", "dibs"."task"."attempt", "dibs"."task"."failures", "dibs"."task"."max_attempts", "dibs"."task"."queue", "dibs"."task"."kind", "dibs"."task"."payload", "dibs"."task"."headers", "dibs"."task"."unique_key", "dibs"."task"."errors", "dibs"."task"."losses"),
"ended" as materialized (select "deleted"."id", "deleted"."created_at", "deleted"."run_at", "deleted"."claimed_at", "deleted"."lease", "deleted"."worker_id", "deleted"."priority", "deleted"."attempt", "deleted"."failures", "deleted"."max_attempts", "deleted"."queue", "deleted"."kind", "deleted"."payload", "deleted"."headers", "deleted"."unique_key", cast("held"."status" as "dibs"."task_status") as "final_status", case when cast("held"."error" as jsonb) is null then "deleted"."errors" else case when jsonb_array_length("deleted"."errors") >= 10 then "deleted"."errors" - 0 else coalesce("deleted"."errors", '[]') end || (cast("held"."error" as jsonb) || jsonb_build_object('at', statement_timestamp(), 'attempt', "deleted"."attempt")) end as "all_errors", "deleted"."losses" as "all_losses"
  from "deleted" join "held" on "deleted"."id" = "held"."id"),
"archived" as (insert into "dibs"."task_history" ("id", "created_at", "run_at", "claimed_at", "lease", "worker_id", "priority", "attempt", "failures", "max_attempts", "queue", "kind", "payload", "headers", "unique_key", "status", "errors", "losses") select "ended"."id", "ended"."created_at", "ended"."run_at", "ended"."claimed_at", "ended"."lease", "ended"."worker_id", "ended"."priority", "ended"."attempt", "ended"."failures", "ended"."max_attempts", "ended"."queue", "ended"."kind", "ended"."payload", "ended"."headers", "ended"."unique_key", "ended"."final_status", "ended"."all_errors", "ended"."all_losses"
  from "ended"
  where "ended"."queue" <> all (array(select "dibs"."queue"."name"
  from "dibs"."queue"
  where "dibs"."queue"."retention" = interval '0'))
  returning "dibs"."task_history"."id"),
"again" as (update "dibs"."task"
  set "status" = case when "r"."delay" <= 0 then cast('PENDING' as "dibs"."task_status") else cast('SCHEDULED' as "dibs"."task_status") end, "run_at" = (statement_timestamp() + "r"."delay" * interval '1 microsecond'), "position" = case when "r"."delay" <= 0 then nextval('"dibs"."task_position"') else "dibs"."task"."position" end, "failures" = ("dibs"."task"."failures" + "r"."failed"), "errors" = case when cast("r"."error" as jsonb) is null then "dibs"."task"."errors" else case when jsonb_array_length("dibs"."task"."errors") >= 10 then "dibs"."task"."errors" - 0 else coalesce("dibs"."task"."errors", '[]') end || (cast("r"."error" as jsonb) || jsonb_build_object('at', statement_timestamp(), 'attempt', "dibs"."task"."attempt")) end, "lease" = cast(null as uuid), "worker_id" = cast(null as uuid)
  from unnest(cast(? as uuid[]), cast(? as uuid[]), cast(? as bigint[]), cast(? as int[]), cast(? as text[])) as "r" ("id", "lease", "delay", "failed", "error")
  where ("dibs"."task"."id" = "r"."id" and "dibs"."task"."lease" = "r"."lease" and "dibs"."task"."id" = any (cast(? as uuid[])))
  returning "dibs"."task"."id"),
"picked" as materialized (select "p"."id"
  from unnest(cast(? as text[]), cast(? as int[])) as "q" ("queue", "room")
  cross join lateral (select "t"."id"
  from unnest(cast(? as text[]), cast(? as smallint[]), cast(? as bigint[]), cast(? as int[])) as "l" ("queue", "priority", "floor", "room")
  cross join lateral (select "dibs"."task"."id"
  from "dibs"."task"
  where ("dibs"."task"."queue" = "l"."queue" and "dibs"."task"."status" = cast('PENDING' as "dibs"."task_status") and "dibs"."task"."priority" = "l"."priority" and "dibs"."task"."position" > "l"."floor" and "dibs"."task"."kind" = any (cast(? as text[])))
  order by "dibs"."task"."position" fetch next "l"."room" rows only
  for no key update skip locked) as "t"
  where "l"."queue" = "q"."queue" fetch next "q"."room" rows only) as "p"
  where ("q"."queue" <> all (array(select "dibs"."queue"."name"
  from "dibs"."queue"
  where "dibs"."queue"."paused_at" is not null)) and (coalesce((select set_config('synchronous_commit', 'off', true)
  where cardinality(cast(? as uuid[])) + cardinality(cast(? as uuid[])) = 0), '') <> 'never'))),
"claimed" as (update "dibs"."task"
  set "status" = cast('PROCESSING' as "dibs"."task_status"), "attempt" = ("dibs"."task"."attempt" + 1), "claimed_at" = statement_timestamp(), "worker_id" = cast(? as uuid), "lease" = cast(? as uuid)
  where "dibs"."task"."id" = any (array(select "id"
  from "picked"))
  returning "dibs"."task"."id", "dibs"."task"."queue", "dibs"."task"."kind", "dibs"."task"."priority", "dibs"."task"."position", "dibs"."task"."attempt", "dibs"."task"."failures", "dibs"."task"."losses", "dibs"."task"."max_attempts", cast(date_part('epoch', ("dibs"."task"."claimed_at" - greatest("dibs"."task"."run_at", "dibs"."task"."created_at"))) * 1e6 as bigint) as "waited", cast(date_part('epoch', "dibs"."task"."timeout") * 1e6 as bigint) as "timeout", cast("dibs"."task"."payload" as text) as "payload", cast("dibs"."task"."headers" as text) as "headers") (select "claimed"."id", "claimed"."queue", "claimed"."kind", "claimed"."priority", "claimed"."position", "claimed"."attempt", "claimed"."failures", "claimed"."losses", "claimed"."max_attempts", "claimed"."waited", "claimed"."timeout", "claimed"."payload", "claimed"."headers"
  from "claimed")
  union all (select "x"."id", cast(null as text), cast(null as text), cast(null as smallint), cast(null as bigint), cast(null as int), cast(null as int), cast(null as int), cast(null as int), cast(null as bigint), cast(null as bigint), cast(null as text), cast(null as text)
  from ((select "id"
  from unnest(cast(? as uuid[]) || cast(? as uuid[])) as "o" ("id")) except (select "id"
  from "deleted"
  union all select "id"
  from "again")) as "x"
  where (cardinality(cast(? as uuid[])) + cardinality(cast(? as uuid[]))) > ((select count(*)
  from "deleted") + (select count(*)
  from "again")))

-- parameters: worker max maxLosses host host host host maxLosses
with "stranded" as materialized (select "dibs"."task"."id", "dibs"."task"."lease"
  from "dibs"."task"
  where ("dibs"."task"."status" = cast('PROCESSING' as "dibs"."task_status") and "dibs"."task"."worker_id" = cast(? as uuid))
  order by "dibs"."task"."worker_id", "dibs"."task"."id" fetch next ? rows only
  for no key update of "task" skip locked),
"buried" as (delete
  from "dibs"."task"
  where ("dibs"."task"."id" = any (array(select "id"
  from "stranded")) and "dibs"."task"."lease" = any (array(select "lease"
  from "stranded")) and ("dibs"."task"."losses" + 1) >= ?)
  returning "dibs"."task"."id", "dibs"."task"."created_at", "dibs"."task"."run_at", "dibs"."task"."claimed_at", cast(null as uuid) as "lease", "dibs"."task"."worker_id", "dibs"."task"."priority", "dibs"."task"."attempt", "dibs"."task"."failures", "dibs"."task"."max_attempts", "dibs"."task"."queue", "dibs"."task"."kind", "dibs"."task"."payload", "dibs"."task"."headers", "dibs"."task"."unique_key", "dibs"."task"."timeout", "dibs"."task"."unique_hold", cast('DEAD' as "dibs"."task_status") as "final_status", case when jsonb_build_object('class', 'worker lost', 'worker', "dibs"."task"."worker_id", 'host', cast(? as text)) is null then "dibs"."task"."errors" else case when jsonb_array_length("dibs"."task"."errors") >= 10 then "dibs"."task"."errors" - 0 else coalesce("dibs"."task"."errors", '[]') end || (jsonb_build_object('class', 'worker lost', 'worker', "dibs"."task"."worker_id", 'host', cast(? as text)) || jsonb_build_object('at', statement_timestamp(), 'attempt', "dibs"."task"."attempt")) end as "all_errors", ("dibs"."task"."losses" + 1) as "all_losses", "dibs"."task"."status" as "status_before", "dibs"."task"."lease" as "lease_before"),
"archived" as (insert into "dibs"."task_history" ("id", "created_at", "run_at", "claimed_at", "lease", "worker_id", "priority", "attempt", "failures", "max_attempts", "queue", "kind", "payload", "headers", "unique_key", "timeout", "unique_hold", "status", "errors", "losses") select "buried"."id", "buried"."created_at", "buried"."run_at", "buried"."claimed_at", "buried"."lease", "buried"."worker_id", "buried"."priority", "buried"."attempt", "buried"."failures", "buried"."max_attempts", "buried"."queue", "buried"."kind", "buried"."payload", "buried"."headers", "buried"."unique_key", "buried"."timeout", "buried"."unique_hold", "buried"."final_status", "buried"."all_errors", "buried"."all_losses"
  from "buried"
  where "buried"."queue" <> all (case "buried"."final_status" when 'SUCCEEDED' then array(select "dibs"."queue"."name"
  from "dibs"."queue"
  where coalesce("dibs"."queue"."retention_succeeded", "dibs"."queue"."retention") = interval '0') when 'DEAD' then array(select "dibs"."queue"."name"
  from "dibs"."queue"
  where coalesce("dibs"."queue"."retention_dead", "dibs"."queue"."retention") = interval '0') else array(select "dibs"."queue"."name"
  from "dibs"."queue"
  where coalesce("dibs"."queue"."retention_cancelled", "dibs"."queue"."retention") = interval '0') end)
  returning "dibs"."task_history"."id"),
"returned" as (update "dibs"."task"
  set "status" = cast('PENDING' as "dibs"."task_status"), "position" = nextval('"dibs"."task_position"'), "run_at" = statement_timestamp(), "losses" = ("dibs"."task"."losses" + 1), "errors" = case when jsonb_build_object('class', 'worker lost', 'worker', "dibs"."task"."worker_id", 'host', cast(? as text)) is null then "dibs"."task"."errors" else case when jsonb_array_length("dibs"."task"."errors") >= 10 then "dibs"."task"."errors" - 0 else coalesce("dibs"."task"."errors", '[]') end || (jsonb_build_object('class', 'worker lost', 'worker', "dibs"."task"."worker_id", 'host', cast(? as text)) || jsonb_build_object('at', statement_timestamp(), 'attempt', "dibs"."task"."attempt")) end, "lease" = cast(null as uuid), "worker_id" = cast(null as uuid)
  where ("dibs"."task"."id" = any (array(select "id"
  from "stranded")) and "dibs"."task"."lease" = any (array(select "lease"
  from "stranded")) and ("dibs"."task"."losses" + 1) < ?)
  returning "dibs"."task"."queue") select (select count(*)
  from "returned"), (select count(*)
  from "buried"), array(select distinct on ("queue") "queue"
  from "returned")

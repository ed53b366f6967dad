-- parameters: id lease
set local jit = off;
  set local enable_seqscan = off; with "ended" as (delete
  from "dibs"."task" using (select 'X' as "DUMMY") as "DUAL"
  where ("dibs"."task"."id" = cast(? as uuid) and "dibs"."task"."lease" = cast(? as uuid))
  returning "dibs"."task"."id", "dibs"."task"."created_at", "dibs"."task"."run_at", "dibs"."task"."claimed_at", "dibs"."task"."lease", "dibs"."task"."worker_id", "dibs"."task"."priority", "dibs"."task"."attempt", "dibs"."task"."failures", "dibs"."task"."max_attempts", "dibs"."task"."queue", "dibs"."task"."kind", "dibs"."task"."payload", "dibs"."task"."headers", "dibs"."task"."unique_key", "dibs"."task"."timeout", "dibs"."task"."unique_hold", cast('SUCCEEDED' as "dibs"."task_status") as "final_status", case when cast(null as jsonb) is null then "dibs"."task"."errors" else case when jsonb_array_length("dibs"."task"."errors") >= 10 then "dibs"."task"."errors" - 0 else coalesce("dibs"."task"."errors", '[]') end || (cast(null as jsonb) || jsonb_build_object('at', statement_timestamp(), 'attempt', "dibs"."task"."attempt")) end as "all_errors", "dibs"."task"."losses" as "all_losses"),
"archived" as (insert into "dibs"."task_history" ("id", "created_at", "run_at", "claimed_at", "lease", "worker_id", "priority", "attempt", "failures", "max_attempts", "queue", "kind", "payload", "headers", "unique_key", "timeout", "unique_hold", "status", "errors", "losses") select "ended"."id", "ended"."created_at", "ended"."run_at", "ended"."claimed_at", "ended"."lease", "ended"."worker_id", "ended"."priority", "ended"."attempt", "ended"."failures", "ended"."max_attempts", "ended"."queue", "ended"."kind", "ended"."payload", "ended"."headers", "ended"."unique_key", "ended"."timeout", "ended"."unique_hold", "ended"."final_status", "ended"."all_errors", "ended"."all_losses"
  from "ended"
  where "ended"."queue" <> all (case "ended"."final_status" when 'SUCCEEDED' then array(select "dibs"."queue"."name"
  from "dibs"."queue"
  where coalesce("dibs"."queue"."retention_succeeded", "dibs"."queue"."retention") = interval '0') when 'DEAD' then array(select "dibs"."queue"."name"
  from "dibs"."queue"
  where coalesce("dibs"."queue"."retention_dead", "dibs"."queue"."retention") = interval '0') else array(select "dibs"."queue"."name"
  from "dibs"."queue"
  where coalesce("dibs"."queue"."retention_cancelled", "dibs"."queue"."retention") = interval '0') end)
  returning "dibs"."task_history"."id") select count(*)
  from "ended"

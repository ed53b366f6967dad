-- parameters: id reason reason
with "cancelled" as (delete
  from "dibs"."task"
  where "dibs"."task"."id" = cast(? as uuid)
  returning "dibs"."task"."id", "dibs"."task"."created_at", "dibs"."task"."run_at", "dibs"."task"."claimed_at", cast(null as uuid) as "lease", "dibs"."task"."worker_id", "dibs"."task"."priority", "dibs"."task"."attempt", "dibs"."task"."failures", "dibs"."task"."max_attempts", "dibs"."task"."queue", "dibs"."task"."kind", "dibs"."task"."payload", "dibs"."task"."headers", "dibs"."task"."unique_key", "dibs"."task"."timeout", "dibs"."task"."unique_hold", cast('CANCELLED' as "dibs"."task_status") as "final_status", case when jsonb_build_object('class', 'cancelled', 'message', cast(? as text)) is null then "dibs"."task"."errors" else case when jsonb_array_length("dibs"."task"."errors") >= 10 then "dibs"."task"."errors" - 0 else coalesce("dibs"."task"."errors", '[]') end || (jsonb_build_object('class', 'cancelled', 'message', cast(? as text)) || jsonb_build_object('at', statement_timestamp(), 'attempt', "dibs"."task"."attempt")) end as "all_errors", "dibs"."task"."losses" as "all_losses", "dibs"."task"."status" as "status_before", "dibs"."task"."lease" as "lease_before"),
"archived" as (insert into "dibs"."task_history" ("id", "created_at", "run_at", "claimed_at", "lease", "worker_id", "priority", "attempt", "failures", "max_attempts", "queue", "kind", "payload", "headers", "unique_key", "timeout", "unique_hold", "status", "errors", "losses") select "cancelled"."id", "cancelled"."created_at", "cancelled"."run_at", "cancelled"."claimed_at", "cancelled"."lease", "cancelled"."worker_id", "cancelled"."priority", "cancelled"."attempt", "cancelled"."failures", "cancelled"."max_attempts", "cancelled"."queue", "cancelled"."kind", "cancelled"."payload", "cancelled"."headers", "cancelled"."unique_key", "cancelled"."timeout", "cancelled"."unique_hold", "cancelled"."final_status", "cancelled"."all_errors", "cancelled"."all_losses"
  from "cancelled"
  where "cancelled"."queue" <> all (case "cancelled"."final_status" when 'SUCCEEDED' then array(select "dibs"."queue"."name"
  from "dibs"."queue"
  where coalesce("dibs"."queue"."retention_succeeded", "dibs"."queue"."retention") = interval '0') when 'DEAD' then array(select "dibs"."queue"."name"
  from "dibs"."queue"
  where coalesce("dibs"."queue"."retention_dead", "dibs"."queue"."retention") = interval '0') else array(select "dibs"."queue"."name"
  from "dibs"."queue"
  where coalesce("dibs"."queue"."retention_cancelled", "dibs"."queue"."retention") = interval '0') end)
  returning "dibs"."task_history"."id") select "status_before", "lease_before"
  from "cancelled"

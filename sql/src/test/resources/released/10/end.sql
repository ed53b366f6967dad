-- parameters: endedIds endedLeases endedIds endings endedIds oddStatuses oddErrors oddErrors againIds againLeases againDelays againFailed againErrors againIds endedIds againIds endedIds againIds
with "deleted" as (delete
  from "dibs"."task"
  where ("dibs"."task"."id" = any (cast(? as uuid[])) and "dibs"."task"."lease" = (cast(? as uuid[]))[width_bucket("dibs"."task"."id", cast(? as uuid[]))])
  returning "dibs"."task"."id", "dibs"."task"."created_at", "dibs"."task"."run_at", "dibs"."task"."claimed_at", "dibs"."task"."lease", "dibs"."task"."worker_id", "dibs"."task"."priority", "dibs"."task"."attempt", "dibs"."task"."failures", "dibs"."task"."max_attempts", "dibs"."task"."queue", "dibs"."task"."kind", "dibs"."task"."payload", "dibs"."task"."headers", "dibs"."task"."unique_key", "dibs"."task"."timeout", "dibs"."task"."unique_hold", "dibs"."task"."errors", "dibs"."task"."losses", (cast(? as smallint[]))[width_bucket("dibs"."task"."id", cast(? as uuid[]))] as "ending"),
"ended" as (select "deleted"."id", "deleted"."created_at", "deleted"."run_at", "deleted"."claimed_at", "deleted"."lease", "deleted"."worker_id", "deleted"."priority", "deleted"."attempt", "deleted"."failures", "deleted"."max_attempts", "deleted"."queue", "deleted"."kind", "deleted"."payload", "deleted"."headers", "deleted"."unique_key", "deleted"."timeout", "deleted"."unique_hold", case when "deleted"."ending" = 0 then cast('SUCCEEDED' as "dibs"."task_status") else cast((cast(? as text[]))["deleted"."ending"] as "dibs"."task_status") end as "final_status", case when cast((cast(? as text[]))["deleted"."ending"] as jsonb) is null then "deleted"."errors" else case when jsonb_array_length("deleted"."errors") >= 10 then "deleted"."errors" - 0 else coalesce("deleted"."errors", '[]') end || (cast((cast(? as text[]))["deleted"."ending"] as jsonb) || jsonb_build_object('at', statement_timestamp(), 'attempt', "deleted"."attempt")) end as "all_errors", "deleted"."losses" as "all_losses"
  from "deleted"),
"archived" as (insert into "dibs"."task_history" ("id", "created_at", "run_at", "claimed_at", "lease", "worker_id", "priority", "attempt", "failures", "max_attempts", "queue", "kind", "payload", "headers", "unique_key", "timeout", "unique_hold", "status", "errors", "losses") select "ended"."id", "ended"."created_at", "ended"."run_at", "ended"."claimed_at", "ended"."lease", "ended"."worker_id", "ended"."priority", "ended"."attempt", "ended"."failures", "ended"."max_attempts", "ended"."queue", "ended"."kind", "ended"."payload", "ended"."headers", "ended"."unique_key", "ended"."timeout", "ended"."unique_hold", "ended"."final_status", "ended"."all_errors", "ended"."all_losses"
  from "ended"
  where "ended"."queue" <> all (case "ended"."final_status" when 'SUCCEEDED' then array(select "dibs"."queue"."name"
  from "dibs"."queue"
  where coalesce("dibs"."queue"."retention_succeeded", "dibs"."queue"."retention") = interval '0') when 'DEAD' then array(select "dibs"."queue"."name"
  from "dibs"."queue"
  where coalesce("dibs"."queue"."retention_dead", "dibs"."queue"."retention") = interval '0') else array(select "dibs"."queue"."name"
  from "dibs"."queue"
  where coalesce("dibs"."queue"."retention_cancelled", "dibs"."queue"."retention") = interval '0') end)
  returning "dibs"."task_history"."id"),
"again" as (update "dibs"."task"
  set "status" = case when "r"."delay" <= 0 then cast('PENDING' as "dibs"."task_status") else cast('SCHEDULED' as "dibs"."task_status") end, "run_at" = (statement_timestamp() + "r"."delay" * interval '1 microsecond'), "position" = case when "r"."delay" <= 0 then nextval('"dibs"."task_position"') else "dibs"."task"."position" end, "failures" = ("dibs"."task"."failures" + "r"."failed"), "errors" = case when cast("r"."error" as jsonb) is null then "dibs"."task"."errors" else case when jsonb_array_length("dibs"."task"."errors") >= 10 then "dibs"."task"."errors" - 0 else coalesce("dibs"."task"."errors", '[]') end || (cast("r"."error" as jsonb) || jsonb_build_object('at', statement_timestamp(), 'attempt', "dibs"."task"."attempt")) end, "lease" = cast(null as uuid), "worker_id" = cast(null as uuid)
  from unnest(cast(? as uuid[]), cast(? as uuid[]), cast(? as bigint[]), cast(? as int[]), cast(? as text[])) as "r" ("id", "lease", "delay", "failed", "error")
  where ("dibs"."task"."id" = "r"."id" and "dibs"."task"."lease" = "r"."lease" and "dibs"."task"."id" = any (cast(? as uuid[])))
  returning "dibs"."task"."id") select "x"."id"
  from (select "s"."id"
  from ((select "id"
  from unnest(cast(? as uuid[]) || cast(? as uuid[])) as "o" ("id")) except (select "id"
  from "deleted"
  union all select "id"
  from "again")) as "s"
  where (cardinality(cast(? as uuid[])) + cardinality(cast(? as uuid[]))) > ((select count(*)
  from "deleted") + (select count(*)
  from "again"))) as "x"

-- parameters: name seen changedAt ticks tasks tasks runAts tickTexts next last
with "due" as materialized (select "dibs"."schedule"."name", "dibs"."schedule"."cron", "dibs"."schedule"."every", "dibs"."schedule"."zone", "dibs"."schedule"."queue", "dibs"."schedule"."kind", "dibs"."schedule"."payload", "dibs"."schedule"."headers", "dibs"."schedule"."priority", "dibs"."schedule"."max_attempts", "dibs"."schedule"."timeout", "dibs"."schedule"."misfire", "dibs"."schedule"."catch_up", "dibs"."schedule"."overlap", "dibs"."schedule"."jitter", "dibs"."schedule"."version", "dibs"."schedule"."changed_at", "dibs"."schedule"."paused_at", "dibs"."schedule"."paused_by", "dibs"."schedule"."paused_why", "dibs"."schedule"."next_tick_at", "dibs"."schedule"."last_tick_at", "dibs"."schedule"."last_task_id"
  from "dibs"."schedule"
  where ("dibs"."schedule"."name" = ? and "dibs"."schedule"."next_tick_at" = cast(? as timestamp with time zone) and "dibs"."schedule"."changed_at" = cast(? as timestamp with time zone) and "dibs"."schedule"."next_tick_at" <= statement_timestamp() and "dibs"."schedule"."paused_at" is null)
  for no key update skip locked),
"ticked" as (insert into "dibs"."schedule_tick" ("schedule", "tick_at", "task_id") select "due"."name", "t"."tick_at", "t"."task_id"
  from "due"
  cross join unnest(cast(? as timestamp with time zone[]), cast(? as uuid[])) as "t" ("tick_at", "task_id")
  where ("due"."overlap" = 'allow' or not exists (select 1 as "one"
  from "dibs"."task"
  where "dibs"."task"."id" = "due"."last_task_id")) on conflict do nothing
  returning "dibs"."schedule_tick"."tick_at", "dibs"."schedule_tick"."task_id"),
"enqueued" as (insert into "dibs"."task" ("id", "queue", "kind", "priority", "status", "run_at", "max_attempts", "timeout", "payload", "headers") select "r"."task_id", "due"."queue", "due"."kind", "due"."priority", case when greatest("r"."run_at", statement_timestamp()) > statement_timestamp() then cast('SCHEDULED' as "dibs"."task_status") else cast('PENDING' as "dibs"."task_status") end, greatest("r"."run_at", statement_timestamp()), "due"."max_attempts", "due"."timeout", "due"."payload", coalesce("due"."headers", '{}') || jsonb_build_object('dibs-schedule', "due"."name", 'dibs-tick', "r"."tick_text")
  from "due"
  cross join unnest(cast(? as uuid[]), cast(? as timestamp with time zone[]), cast(? as text[])) as "r" ("task_id", "run_at", "tick_text") join "ticked" on "ticked"."task_id" = "r"."task_id"
  returning "dibs"."task"."id") update "dibs"."schedule"
  set "next_tick_at" = cast(? as timestamp with time zone), "last_tick_at" = cast(? as timestamp with time zone), "last_task_id" = coalesce((select "ticked"."task_id"
  from "ticked"
  order by "ticked"."tick_at" desc fetch next 1 rows only), "dibs"."schedule"."last_task_id")
  from "due"
  where "dibs"."schedule"."name" = "due"."name"
  returning (select count(*)
  from "enqueued"), "dibs"."schedule"."queue", "dibs"."schedule"."kind"

-- parameters: max
with "due" as materialized (select "dibs"."task"."id"
  from "dibs"."task"
  where ("dibs"."task"."status" = cast('SCHEDULED' as "dibs"."task_status") and "dibs"."task"."run_at" <= statement_timestamp())
  order by "dibs"."task"."run_at", "dibs"."task"."id" fetch next ? rows only
  for no key update skip locked),
"promoted" as (update "dibs"."task"
  set "status" = cast('PENDING' as "dibs"."task_status"), "position" = nextval('"dibs"."task_position"')
  where ("dibs"."task"."id" = any (array(select "id"
  from "due")) and cast("dibs"."task"."status" as text) = 'SCHEDULED' and "dibs"."task"."run_at" <= statement_timestamp())
  returning "dibs"."task"."queue") select count(*), array(select distinct on ("queue") "queue"
  from "promoted"), (select extract(epoch
  from min("dibs"."task"."run_at") - statement_timestamp())
  from "dibs"."task"
  where ("dibs"."task"."status" = cast('SCHEDULED' as "dibs"."task_status") and "dibs"."task"."run_at" > statement_timestamp())), (select extract(epoch
  from min("dibs"."schedule"."next_tick_at") - statement_timestamp())
  from "dibs"."schedule"
  where "dibs"."schedule"."paused_at" is null)
  from "promoted"

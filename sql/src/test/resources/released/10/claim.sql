-- parameters: queues queueRooms laneQueues lanePriorities laneFloors laneRooms kinds kinds lazily worker lease
with "picked" as materialized (select "p"."id"
  from unnest(cast(? as text[]), cast(? as int[])) as "q" ("queue", "room")
  cross join lateral (select "t"."id"
  from unnest(cast(? as text[]), cast(? as smallint[]), cast(? as bigint[]), cast(? as int[])) as "l" ("queue", "priority", "floor", "room")
  cross join lateral (select "dibs"."task"."id"
  from "dibs"."task"
  where ("dibs"."task"."queue" = "l"."queue" and "dibs"."task"."status" = cast('PENDING' as "dibs"."task_status") and "dibs"."task"."priority" = "l"."priority" and "dibs"."task"."position" > "l"."floor" and "dibs"."task"."kind" = any (array(select "k"."kind"
  from unnest(cast(? as text[])) as "k" ("kind")
  where "k"."kind" <> all (array(select "dibs"."kind"."name"
  from "dibs"."kind"
  where "dibs"."kind"."paused_at" is not null)))))
  order by "dibs"."task"."position" fetch next "l"."room" rows only
  for no key update skip locked) as "t"
  where "l"."queue" = "q"."queue" fetch next "q"."room" rows only) as "p"
  where ("q"."queue" <> all (array(select "dibs"."queue"."name"
  from "dibs"."queue"
  where "dibs"."queue"."paused_at" is not null)) and exists (select "k"."kind"
  from unnest(cast(? as text[])) as "k" ("kind")
  where "k"."kind" <> all (array(select "dibs"."kind"."name"
  from "dibs"."kind"
  where "dibs"."kind"."paused_at" is not null))) and (coalesce((select set_config('synchronous_commit', 'off', true)
  where ?), '') <> 'never'))) update "dibs"."task"
  set "status" = cast('PROCESSING' as "dibs"."task_status"), "attempt" = ("dibs"."task"."attempt" + 1), "claimed_at" = statement_timestamp(), "worker_id" = cast(? as uuid), "lease" = cast(? as uuid)
  where ("dibs"."task"."id" = any (array(select "id"
  from "picked")) and cast("dibs"."task"."status" as text) = 'PENDING')
  returning "dibs"."task"."id", "dibs"."task"."queue", "dibs"."task"."kind", "dibs"."task"."priority", "dibs"."task"."position", "dibs"."task"."attempt", "dibs"."task"."failures", "dibs"."task"."losses", "dibs"."task"."max_attempts", greatest("dibs"."task"."run_at", "dibs"."task"."created_at") as "ready_at", "dibs"."task"."claimed_at", cast(date_part('epoch', "dibs"."task"."timeout") * 1e6 as bigint) as "timeout", "dibs"."task"."payload", "dibs"."task"."headers"

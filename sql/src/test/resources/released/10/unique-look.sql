-- parameters: ids queues uniqueKeys
select "n"."id", coalesce((select "dibs"."task"."id"
  from "dibs"."task"
  where ("dibs"."task"."queue" = "n"."queue" and "dibs"."task"."id" = "n"."id") fetch next 1 rows only), (select "dibs"."task"."id"
  from "dibs"."task"
  where ("dibs"."task"."queue" = "n"."queue" and "dibs"."task"."unique_key" = "n"."unique_key" and "dibs"."task"."attempt" = 0) fetch next 1 rows only), (select "dibs"."task"."id"
  from "dibs"."task"
  where ("dibs"."task"."queue" = "n"."queue" and "dibs"."task"."unique_key" = "n"."unique_key" and "dibs"."task"."unique_hold") fetch next 1 rows only))
  from unnest(cast(? as uuid[]), cast(? as text[]), cast(? as text[])) as "n" ("id", "queue", "unique_key")

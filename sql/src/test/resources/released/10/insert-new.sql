-- parameters: ids queues kinds priorities maxAttempts payloads headers
insert into "dibs"."task" ("id", "queue", "kind", "priority", "max_attempts", "payload", "headers") select "n"."id", "n"."queue", "n"."kind", "n"."priority", "n"."max_attempts", cast("n"."payload" as jsonb), cast("n"."headers" as jsonb)
  from unnest(cast(? as uuid[]), cast(? as text[]), cast(? as text[]), cast(? as smallint[]), cast(? as int[]), cast(? as text[]), cast(? as text[])) as "n" ("id", "queue", "kind", "priority", "max_attempts", "payload", "headers")

-- Dibs, the schema. Names are unqualified: run it with search_path set to the one schema that shall hold
-- everything (`dibs migrate` and Flyway's defaultSchema do that, `dibs migrate --print` writes it out).

create type task_status as enum (
  'SCHEDULED',   -- run_at lies ahead, also a retry that waits for its backoff
  'BLOCKED',     -- waits for a key or a dependency
  'PENDING',     -- ready to be claimed
  'PROCESSING',  -- claimed: somebody holds the lease
  'SUCCEEDED', 'DEAD', 'CANCELLED');

-- The order inside a lane. A task draws a new position whenever it (re-)enters PENDING.
create sequence task_position;

-- Unfinished tasks only, so the table stays small and hot; a finished task moves to task_history.
create table task (
  id              uuid        not null,                 -- UUIDv7 made by the client: a repeated insert is seen
  position        bigint      not null default nextval('task_position'),
  created_at      timestamptz not null default statement_timestamp(),
  run_at          timestamptz not null default statement_timestamp(),
  claimed_at      timestamptz,
  lease           uuid,                                 -- the fence: random for every claim
  worker_id       uuid,
  status          task_status not null default 'PENDING',
  priority        smallint    not null default 3,       -- 1 urgent, 2 high, 3 normal, 4 low
  attempt         integer     not null default 0,       -- claims so far: only grows
  failures        integer     not null default 0,       -- attempts that failed: max_attempts bounds these
  losses          integer     not null default 0,       -- attempts that lost their worker
  max_attempts    integer     not null default 25,
  timeout         interval,
  queue           text        not null default 'default',
  kind            text        not null,
  payload         jsonb       not null default '{}',
  headers         jsonb,
  unique_key      text,
  concurrency_key text,
  errors          jsonb,                                -- the last 10, the newest last
  primary key (id, queue),
  constraint task_is_unfinished check (status in ('SCHEDULED', 'BLOCKED', 'PENDING', 'PROCESSING')),
  constraint task_is_held_while_processing check (
    (status = 'PROCESSING') = (lease is not null) and (lease is null) = (worker_id is null)),
  constraint task_priority_known check (priority between 1 and 4),
  constraint task_counts_sane check (attempt >= 0 and failures >= 0 and losses >= 0 and max_attempts >= 1),
  constraint task_timeout_positive check (timeout > interval '0' and timeout <= interval '100 years'),
  constraint task_names_short check (
    char_length(queue) between 1 and 128 and char_length(kind) between 1 and 128),
  constraint task_run_at_finite check (isfinite(run_at))
) with (
  fillfactor = 80,
  autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000,
  autovacuum_vacuum_insert_scale_factor = 0.0, autovacuum_vacuum_insert_threshold = 50000,
  autovacuum_analyze_scale_factor = 0.0, autovacuum_analyze_threshold = 20000,
  autovacuum_vacuum_cost_delay = 0);

create index task_lane on task (queue, priority, position) where status = 'PENDING';
create index task_held on task (worker_id, id) where status = 'PROCESSING';
create index task_due on task (run_at, id) where status = 'SCHEDULED';
create index task_blocked on task (queue, id) where status = 'BLOCKED';
create unique index task_unique on task (unique_key, queue) where unique_key is not null;

-- Finished tasks, a partition a day (UTC); old days are dropped, never deleted row by row.
create table task_history (
  id           uuid        not null,
  created_at   timestamptz not null,
  run_at       timestamptz not null,
  claimed_at   timestamptz,
  finished_at  timestamptz not null default statement_timestamp(),
  lease        uuid,                                    -- of the run that ended it: answers "was my commit applied?"
  worker_id    uuid,
  status       task_status not null,
  priority     smallint    not null,
  attempt      integer     not null,
  failures     integer     not null,
  losses       integer     not null,
  max_attempts integer     not null,
  queue        text        not null,
  kind         text        not null,
  payload      jsonb       not null,
  headers      jsonb,
  unique_key   text,
  errors       jsonb,
  constraint task_history_is_finished check (status in ('SUCCEEDED', 'DEAD', 'CANCELLED'))
) partition by range (finished_at);

create index task_history_id on task_history (id);
create index task_history_queue on task_history (queue, finished_at);
create index task_history_dead on task_history (queue, finished_at) where status = 'DEAD';

-- Catches what no day's partition takes, so that nothing is ever refused.
create table task_history_default partition of task_history default;

-- One row a worker process and start; it beats instead of its tasks, so a running task costs no write.
create table worker (
  id          uuid        primary key,
  host        text        not null,
  pid         bigint      not null,
  version     text        not null,
  queues      text[]      not null,
  kinds       text[]      not null,
  concurrency integer     not null,
  status      text        not null default 'LIVE',
  started_at  timestamptz not null default clock_timestamp(),
  beat        bigint      not null default 0,
  lease_until timestamptz not null,
  constraint worker_status_known check (status in ('LIVE', 'DRAINING', 'DEAD')),
  constraint worker_concurrency_positive check (concurrency >= 1)
) with (fillfactor = 20, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 500);

-- A queue needs no row to be used; a row changes how it is served.
create table queue (
  name          text        primary key,
  paused_at     timestamptz,
  paused_by     text,
  paused_why    text,
  retention     interval    not null default '7 days',  -- of finished tasks; zero: they leave no history
  constraint queue_retention_not_negative check (retention >= interval '0'),
  constraint queue_name_short check (char_length(name) between 1 and 128)
);

-- What some process must do now and then. Claimed with SKIP LOCKED: there is no leader.
create table duty (
  name        text        primary key,
  every       interval    not null,
  next_run_at timestamptz not null default clock_timestamp(),
  last_run_at timestamptz,
  constraint duty_every_positive check (every > interval '0')
) with (fillfactor = 20);

insert into duty (name, every) values
  ('partitions', '1 hour'),   -- create the history partitions of the days ahead
  ('prune', '1 hour'),        -- drop the history partitions that every queue's retention has passed
  ('orphans', '1 minute'),    -- rescue tasks whose worker has no row
  ('departed', '1 hour');     -- forget workers that died long ago

-- Creates the history partitions from today to days_ahead days from now that are missing. A day that the
-- default partition already holds rows of stays there; the others are created all the same.
create function create_history_partitions(days_ahead integer) returns integer
language plpgsql set search_path from current as $$
declare
  today    date := (clock_timestamp() at time zone 'UTC')::date;
  day      date;
  part     text;
  created  integer := 0;
begin
  for day in select today + n from generate_series(0, days_ahead) n loop
    part := 'task_history_' || to_char(day, 'YYYYMMDD');
    continue when to_regclass(quote_ident(part)) is not null;
    begin
      -- Created apart and then attached: ATTACH lets inserts into the other partitions go on.
      execute format('create table %I (like task_history including defaults including constraints)', part);
      execute format('alter table task_history attach partition %I for values from (%L) to (%L)',
        part, day::timestamp at time zone 'UTC', (day + 1)::timestamp at time zone 'UTC');
      created := created + 1;
    exception when check_violation then
      raise notice 'history of % stays in the default partition', day;
    end;
  end loop;
  return created;
end $$;

-- Drops the history partitions whose last row is older than every queue's retention and empties the default
-- partition likewise. Returns the number of dropped partitions.
create function prune_history() returns integer
language plpgsql set search_path from current as $$
declare
  longest interval := greatest((select max(retention) from queue), interval '7 days');
  horizon timestamptz := clock_timestamp() - longest;
  part    record;
  dropped integer := 0;
begin
  for part in
    select c.relname::text as name, to_date(right(c.relname, 8), 'YYYYMMDD') as day
    from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'task_history'::regclass and c.relname ~ '^task_history_\d{8}$'
    order by c.relname
  loop
    continue when (part.day + 1)::timestamp at time zone 'UTC' > horizon;
    execute format('drop table %I', part.name);
    dropped := dropped + 1;
  end loop;
  delete from task_history_default where finished_at < horizon;
  return dropped;
end $$;

select create_history_partitions(3);

-- What this schema is; every later migration replaces it. Programs compare it with what they need.
create function schema_version() returns integer language sql immutable as 'select 1';

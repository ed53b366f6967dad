-- Schedules: tasks that come again and again, by cron or at fixed intervals. Nothing that was there is changed, so
-- workers of version 1 may go on beside this; they run the tasks and leave the ticks to others.

-- What comes when. A row is read by every process and ticked by whoever locks it first: there is no leader.
create table schedule (
  name         text        primary key,
  cron         text,                                    -- five fields, or six with seconds in front
  every        interval,                                -- or a fixed interval, counted from 1970-01-01T00:00Z
  zone         text        not null default 'UTC',      -- where the clock hangs that cron is read by
  queue        text        not null default 'default',
  kind         text        not null,
  payload      jsonb       not null default '{}',
  headers      jsonb,
  priority     smallint    not null default 3,
  max_attempts integer     not null default 25,
  timeout      interval,
  misfire      text        not null default 'once',     -- of ticks that nobody was there for
  catch_up     integer,                                 -- how many of them run at most, where misfire says 'catch-up'
  overlap      text        not null default 'allow',    -- 'skip': not while the last tick's task is unfinished
  jitter       interval    not null default '0',        -- a task comes up to so much later than its tick
  version      integer     not null default 1,          -- a declaration in code replaces lower ones only
  changed_at   timestamptz not null default clock_timestamp(),
  paused_at    timestamptz,
  paused_by    text,
  paused_why   text,
  next_tick_at timestamptz not null,
  last_tick_at timestamptz,                             -- the last one decided, whether its task was enqueued or not
  last_task_id uuid,
  constraint schedule_has_one_rhythm check ((cron is null) <> (every is null)),
  constraint schedule_every_sane check (every >= interval '1 second'),
  constraint schedule_names_short check (
    char_length(name) between 1 and 128 and char_length(queue) between 1 and 128 and char_length(kind) between 1 and 128),
  constraint schedule_priority_known check (priority between 1 and 4),
  constraint schedule_counts_sane check (max_attempts >= 1 and version >= 1),
  constraint schedule_timeout_positive check (timeout > interval '0' and timeout <= interval '100 years'),
  constraint schedule_misfire_known check (misfire in ('skip', 'once', 'catch-up')),
  constraint schedule_catch_up_sane check (
    (misfire = 'catch-up') = (catch_up is not null) and catch_up between 1 and 1000),
  constraint schedule_overlap_known check (overlap in ('allow', 'skip')),
  constraint schedule_jitter_sane check (jitter >= interval '0' and jitter <= interval '1 day'),
  constraint schedule_ticks_finite check (isfinite(next_tick_at) and isfinite(last_tick_at))
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 500);

create index schedule_due on schedule (next_tick_at) where paused_at is null;

-- Which ticks enqueued their task. The key is what makes a tick come once, whoever believes it is due, whatever the
-- clock does, also when its task has ended and when the schedule was removed and added again. Old ones are deleted.
create table schedule_tick (
  schedule text        not null,
  tick_at  timestamptz not null,
  task_id  uuid        not null,
  primary key (schedule, tick_at)
);

insert into duty (name, every) values
  ('ticks', '1 hour');        -- forget ticks of long ago

create or replace function schema_version() returns integer language sql immutable as 'select 2';

-- The oldest build that may still work with this schema. A migration that only adds leaves it as it is, so that
-- builds from before it go on; one that takes something away says here who is shut out.
create function schema_serves_from() returns integer language sql immutable as 'select 1';

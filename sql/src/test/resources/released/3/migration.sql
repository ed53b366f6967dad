-- Unique tasks: what a unique_key keeps out, and for how long. Tasks without a key pay nothing. Workers of versions 1
-- and 2 may go on beside this: a claim counts the attempt up, which is all it takes to let a key go.

-- Whether the key is held until the task ends; else only until it is first claimed.
alter table task add column unique_hold boolean not null default false;

alter table task add constraint task_unique_key_short check (char_length(unique_key) between 1 and 255) not valid;
alter table task validate constraint task_unique_key_short;

-- Two that wait for their first claim never have the same key, nor two that hold theirs to the end. A task that holds its
-- key to the end is in both; one that lets it go when it starts, or may change others, is in the first only.
create unique index task_unique_waiting on task (unique_key, queue) where unique_key is not null and attempt = 0;
create unique index task_unique_held on task (unique_key, queue) where unique_key is not null and unique_hold;
drop index task_unique;

-- Keys that outlive their task: none of the same key is taken until then, whatever became of it. Old rows are deleted.
create table unique_window (
  queue      text        not null,
  unique_key text        not null,
  until      timestamptz not null,
  task_id    uuid        not null,
  primary key (queue, unique_key),
  constraint unique_window_finite check (isfinite(until))
) with (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000);

create index unique_window_until on unique_window (until);

insert into duty (name, every) values
  ('windows', '1 minute');    -- forget keys whose window is over

create or replace function schema_version() returns integer language sql immutable as 'select 3';

-- Operations: what people do to queues, kinds, tasks and workers, and who did it. Workers of versions 1 to 4 may go on
-- beside this; they know nothing of paused kinds.

-- A kind needs no row to be used; a row says that none of its tasks is to be claimed, whatever their queue.
create table kind (
  name       text        primary key,
  paused_at  timestamptz,
  paused_by  text,
  paused_why text,
  constraint kind_name_short check (char_length(name) between 1 and 128)
);

-- What was asked for, by whom and why, and what came of it; written in the transaction that did it, never changed.
create table audit (
  id     uuid        primary key,                       -- of the request: one that is sent twice is done once
  at     timestamptz not null default clock_timestamp(),
  actor  text        not null,                          -- who, as the program that asked knows him
  login  text        not null default session_user,     -- and as the database does
  source text        not null,                          -- what asked: cli, console and from where, java, sql
  action text        not null,                          -- queue.pause, task.retry, bulk.start, payload.reveal …
  target text        not null,                          -- a queue, a kind, or an id
  why    text        not null default '',
  before text,
  after  text,
  result text        not null,
  constraint audit_result_known check (result in ('done', 'stale', 'refused')),
  constraint audit_texts_short check (char_length(actor) between 1 and 255 and char_length(source) <= 255
    and char_length(action) <= 64 and char_length(target) <= 255 and char_length(why) <= 2000)
);

create index audit_at on audit (at, id);
create index audit_target on audit (target, at);

create or replace function schema_version() returns integer language sql immutable as 'select 5';

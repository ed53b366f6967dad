-- Operations: what people do to queues, kinds, tasks and workers, and who did it. Workers of versions 1 to 4 may go on
-- beside this; they know nothing of paused kinds, do not hear that they are to drain, and keep of finished tasks what the
-- longest retention of the queue says.
--
-- Each action is one function, one transaction: a compare-and-set on what was seen, and its row in audit. So whoever may
-- call it needs no right to a table, and nothing is done that audit does not tell.

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
  constraint audit_result_known check (result in ('done', 'stale', 'missing', 'refused')),
  constraint audit_texts_short check (char_length(actor) between 1 and 255 and char_length(source) <= 255
    and char_length(action) <= 64 and char_length(target) <= 255 and char_length(why) <= 2000)
);

create index audit_at on audit (at, id);
create index audit_target on audit (target, at);

-- How long finished tasks are kept, by how they ended; null: as retention says, which stays for older workers and is
-- the longest of the three.
alter table queue
  add column retention_succeeded interval,
  add column retention_dead      interval,
  add column retention_cancelled interval,
  add constraint queue_retentions_not_negative check (
    retention_succeeded >= interval '0' and retention_dead >= interval '0' and retention_cancelled >= interval '0');

-- An operator's wish that the process takes no more tasks; status says DRAINING once it has heard.
alter table worker
  add column drained_at  timestamptz,
  add column drained_by  text,
  add column drained_why text;

-- What a task needs to run again as it was. Unknown of tasks that ended before this.
alter table task_history
  add column timeout     interval,
  add column unique_hold boolean;

-- Up to when the rows of a queue that ended so have been deleted, where its retention is shorter than a partition lasts.
create table history_pruned (
  queue  text        not null,
  status task_status not null,
  until  timestamptz not null,
  primary key (queue, status)
);

-- Claims at most max ready tasks, the urgent first, and answers them with the lease that finish wants to see. Rows that
-- others have locked are skipped. Queues are served in an order of chance, and now and then a lower priority first. What
-- is paused is left out, and a worker that is to drain gets nothing.
create or replace function claim(worker uuid, queues text[], kinds text[], max integer)
returns table (
  id uuid, lease uuid, queue text, kind text, payload jsonb, headers jsonb, attempt integer, failures integer,
  losses integer, max_attempts integer, timeout interval)
language plpgsql volatile security definer as $$
#variable_conflict use_column
declare
  granted constant uuid := gen_random_uuid();
  levels  smallint[] := '{1,2,3,4}';
  first   smallint := 2 + floor(3 * random());
  running text[];
begin
  if coalesce(claim.max, 0) not between 1 and 10000 then
    raise exception using errcode = 'invalid_parameter_value', message = format('max must be 1 to 10000, was %s', claim.max);
  end if;
  if not exists (select from worker w where w.id = claim.worker and w.status <> 'DEAD') then
    raise exception using errcode = 'object_not_in_prerequisite_state',
      message = format('worker %s is not registered, or was declared dead; register anew', claim.worker);
  end if;
  if exists (select from worker w where w.id = claim.worker and w.drained_at is not null) then return; end if;
  running := array(select name from unnest(claim.kinds) name
    where name <> all (array(select k.name from kind k where k.paused_at is not null)));
  if running = '{}' then return; end if;
  if random() < 0.125 then levels := array_prepend(first, array_remove(levels, first)); end if;
  return query
    with picked as materialized (
      select t.id
      from (
        select q.name, p.level
        from unnest(levels) with ordinality p (level, n)
        cross join (select name, random() as turn from unnest(claim.queues) name group by name) q
        where q.name <> all (array(select k.name from queue k where k.paused_at is not null))
        order by p.n, q.turn) l
      cross join lateral (
        select t.id from task t
        where t.queue = l.name and t.status = 'PENDING' and t.priority = l.level and t.kind = any (running)
        order by t.position limit claim.max for no key update skip locked) t
      limit claim.max),
    claimed as (
      update task t
      set status = 'PROCESSING', attempt = t.attempt + 1, claimed_at = statement_timestamp(), worker_id = claim.worker,
        lease = granted
      where t.id = any (array(select p.id from picked p))
      returning t.id, t.lease, t.queue, t.kind, t.payload, t.headers, t.attempt, t.failures, t.losses, t.max_attempts,
        t.timeout, t.priority, t.position)
    select c.id, c.lease, c.queue, c.kind, c.payload, c.headers, c.attempt, c.failures, c.losses, c.max_attempts, c.timeout
    from claimed c order by c.priority, c.position;
end $$;

-- Renews the lease; false: the worker was declared dead, others have its tasks, it must stop them and register anew.
create or replace function heartbeat(worker uuid) returns boolean language plpgsql volatile security definer as $$
#variable_conflict use_column
begin
  update worker w set beat = w.beat + 1, lease_until = clock_timestamp() + interval '15 seconds',
    status = case when w.drained_at is null then 'LIVE' else 'DRAINING' end
  where w.id = heartbeat.worker and w.status <> 'DEAD';
  return found;
end $$;

-- How long tasks of a queue that ended so are kept; the row may be missing.
create function retention_of(q queue, ending task_status) returns interval language sql stable as $$
  select coalesce(case ending when 'SUCCEEDED' then q.retention_succeeded when 'DEAD' then q.retention_dead
    when 'CANCELLED' then q.retention_cancelled end, q.retention, interval '7 days')
$$;

-- Keeps a task that was taken out of task, unless its queue keeps nothing of what ended so.
create or replace function archive(gone task, ending task_status, errors jsonb) returns void language plpgsql volatile as $$
#variable_conflict use_column
begin
  insert into task_history (id, created_at, run_at, claimed_at, lease, worker_id, status, priority, attempt, failures, losses,
    max_attempts, timeout, queue, kind, payload, headers, unique_key, unique_hold, errors)
  select gone.id, gone.created_at, gone.run_at, gone.claimed_at, gone.lease, gone.worker_id, ending, gone.priority,
    gone.attempt, gone.failures, gone.losses, gone.max_attempts, gone.timeout, gone.queue, gone.kind, gone.payload,
    gone.headers, gone.unique_key, gone.unique_hold, archive.errors
  where not exists (
    select from queue q where q.name = gone.queue and retention_of(q, ending) = interval '0');
end $$;

-- How long history is kept by whoever keeps it longest: then its partitions are dropped.
create function longest_retention() returns interval language sql stable as $$
  select greatest((select max(greatest(retention_of(q, 'SUCCEEDED'), retention_of(q, 'DEAD'), retention_of(q, 'CANCELLED')))
    from queue q), interval '7 days')
$$;

-- Drops the history partitions whose last row is older than every retention and empties the default partition likewise.
-- Returns the number of dropped partitions. A drop locks all of history for a moment: while somebody reads it, it is given
-- up almost at once, since whoever wants to write would have to wait behind it; the next run tries again.
create or replace function prune_history() returns integer language plpgsql security definer as $$
declare
  longest interval := longest_retention();
  horizon timestamptz := clock_timestamp() - longest;
  part    record;
  dropped integer := 0;
begin
  delete from task_history_default where finished_at < horizon;
  for part in
    select c.relname::text as name, to_date(right(c.relname, 8), 'YYYYMMDD') as day
    from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'task_history'::regclass and c.relname ~ '^task_history_[0-9]{8}$'
    order by c.relname
  loop
    continue when (part.day + 1)::timestamp at time zone 'UTC' > horizon;
    begin
      execute format('drop table %I', part.name);
      dropped := dropped + 1;
    exception when lock_not_available then
      exit;
    end;
  end loop;
  return dropped;
end $$;

-- Deletes what a queue's own retention has passed while others keep the partition; looks at most rows and answers whether
-- there is more to look at. Walks each queue in the order of time from where it ended before, so no row is looked at in
-- vain twice. Queues without a row are walked only while another one keeps its tasks longer than they do.
create function prune_history_rows(most integer default 5000) returns boolean language plpgsql security definer as $$
declare
  longest interval := longest_retention();
  mark    record;
  upto    timestamptz;
  looked  integer;
begin
  for mark in
    with recursive names as (
      (select h.queue from task_history h where longest > interval '7 days' order by h.queue limit 1)
      union all
      select (select h.queue from task_history h where h.queue > n.queue order by h.queue limit 1)
      from names n where n.queue is not null),
    walked as (select n.queue from names n where n.queue is not null union select q.name from queue q)
    select n.queue, o.status, clock_timestamp() - retention_of(q, o.status) as horizon, coalesce(p.until, '-infinity') as since
    from walked n cross join unnest('{SUCCEEDED,DEAD,CANCELLED}'::task_status[]) o (status)
    left join queue q on q.name = n.queue
    left join history_pruned p on p.queue = n.queue and p.status = o.status
    where retention_of(q, o.status) < longest           -- the others go with their partition
  loop
    continue when mark.since >= mark.horizon;
    select count(*), max(w.finished_at) into looked, upto from (
      select h.finished_at from task_history h
      where h.queue = mark.queue and h.finished_at > mark.since and h.finished_at < mark.horizon
      order by h.finished_at limit most) w;
    continue when looked = 0;
    delete from task_history h
    where h.queue = mark.queue and h.finished_at > mark.since and h.finished_at <= upto and h.status = mark.status;
    -- What was ended just now may be committed later than what was ended after it.
    upto := least(upto, mark.horizon - interval '10 minutes', clock_timestamp() - interval '10 minutes');
    if upto > mark.since then
      insert into history_pruned as p (queue, status, until) values (mark.queue, mark.status, upto)
      on conflict (queue, status) do update set until = excluded.until;
    end if;
    most := most - looked;
    if most <= 0 then return true; end if;
  end loop;
  return false;
end $$;

-- From when on history may hold an id: what ends cannot have ended before it was made. An id that is no version 7, or that
-- is of a later time than now, may be anywhere. A day is allowed for clocks that go wrong.
create function ended_since(id uuid) returns timestamptz language sql stable as $$
  select case when substr(id::text, 15, 1) = '7' and made < statement_timestamp() then made - interval '1 day'
    else '-infinity' end
  from (select to_timestamp(('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint / 1000.0) as made) m
$$;

-- The history of a task as it ended last, in the partitions where it should be and only then in all others.
create function ended_task(id uuid) returns setof task_history language plpgsql stable as $$
#variable_conflict use_column
declare
  since timestamptz := ended_since(ended_task.id);
begin
  return query select h.* from task_history h where h.id = ended_task.id and h.finished_at >= since
    order by h.finished_at desc limit 1;
  if not found then
    return query select h.* from task_history h where h.id = ended_task.id and h.finished_at < since
      order by h.finished_at desc limit 1;
  end if;
end $$;

-- A request as it is checked before anything is done: who asks, and why.
create function check_request(request uuid, actor text, source text, why text) returns void language plpgsql as $$
declare
  control constant text := '[' || chr(1) || '-' || chr(8) || chr(11) || chr(12) || chr(14) || '-' || chr(31) || chr(127) || '-' || chr(159) || ']';
  problem text;
begin
  problem := case
    when request is null then 'a request needs an id; a random one will do'
    when coalesce(char_length(actor), 0) not between 1 and 255 then
      format('actor must have 1 to 255 characters, has %s', coalesce(char_length(actor), 0))
    when coalesce(char_length(source), 256) > 255 then 'source must have at most 255 characters'
    when coalesce(char_length(why), 2001) > 2000 then
      format('why must have at most 2000 characters, has %s', coalesce(char_length(why), 0))
    when actor ~ control or source ~ control or why ~ control then 'actor, source and why must not hold control characters'
  end;
  if problem is not null then
    raise exception using errcode = 'invalid_parameter_value', message = problem;
  end if;
end $$;

-- What came of a request before; null if there was none of its id.
create function asked_before(request uuid, action text, target text) returns audit language plpgsql as $$
#variable_conflict use_column
declare
  first audit;
begin
  select a.* into first from audit a where a.id = asked_before.request;
  if first.id is not null and (first.action <> asked_before.action or first.target <> asked_before.target) then
    raise exception using errcode = 'invalid_parameter_value',
      message = format('request %s was %s of %s; ask for something else under another id', request, first.action, first.target);
  end if;
  return first;
end $$;

-- A name of a queue or a kind, or 22023.
create function check_name(what text, name text) returns void language plpgsql as $$
begin
  if coalesce(char_length(name), 0) not between 1 and 128 then
    raise exception using errcode = 'invalid_parameter_value',
      message = format('a %s name must have 1 to 128 characters, %L has %s', what, left(name, 40), coalesce(char_length(name), 0));
  elsif name ~ ('[' || chr(1) || '-' || chr(31) || chr(127) || '-' || chr(159) || ']') then
    raise exception using errcode = 'invalid_parameter_value',
      message = format('a %s name must not hold control characters', what);
  end if;
end $$;

-- Who has the unique key that a task wants.
create function key_holder(queue text, unique_key text, id uuid) returns uuid language sql stable as $$
  select o.id from (
    select t.id from task t where t.queue = key_holder.queue and t.unique_key = key_holder.unique_key and t.attempt = 0
    union all
    select t.id from task t where t.queue = key_holder.queue and t.unique_key = key_holder.unique_key and t.unique_hold) o
  where o.id <> key_holder.id limit 1
$$;

-- Puts a task that ended where it is claimed again, or says who has its key. DEAD or CANCELLED: the same task, with its
-- errors and its attempts; its failures start anew, and of its losses so many stay that a worker runs it alone and one
-- more buries it. SUCCEEDED: another one, with an id of its own.
create function revive_task(past task_history, delay interval, out revived uuid, out holder uuid)
language plpgsql volatile as $$
#variable_conflict use_variable
declare
  copies boolean := past.status = 'SUCCEEDED';
  now    timestamptz := statement_timestamp();
  made   uuid := case when copies then uuid7() else past.id end;
  tries  integer := case when copies then 0 else past.attempt end;
begin
  for turn in 1..100 loop
    insert into task as t (id, created_at, run_at, claimed_at, status, priority, attempt, failures, losses, max_attempts, timeout,
      queue, kind, payload, headers, unique_key, unique_hold, errors)
    values (made, case when copies then now else past.created_at end, now + delay,
      case when copies then null else past.claimed_at end,
      case when delay > interval '0' then 'SCHEDULED' else 'PENDING' end::task_status, past.priority, tries, 0,
      case when copies then 0 else least(past.losses, 2) end, past.max_attempts, past.timeout, past.queue, past.kind,
      past.payload, past.headers, past.unique_key, past.unique_key is not null and coalesce(past.unique_hold, true),
      case when copies then null else past.errors end)
    on conflict do nothing returning t.id into revived;
    exit when revived is not null;
    holder := coalesce(key_holder(past.queue, past.unique_key, made),
      (select t.id from task t where t.id = made and t.queue = past.queue));
    exit when holder is not null;                       -- else it has let go meanwhile
  end loop;
  if revived is null then return; end if;
  if not copies then
    delete from task_history h where h.id = past.id and h.finished_at = past.finished_at;
  end if;
  perform pg_notify(current_schema(), past.queue);
end $$;

-- What every action on a task is: it is done if the task is as it was seen, and one row of audit says so. Answers what came
-- of it, the id of the task that it came to (a copy has its own), and why not.
create function act_on_task(
  action text, id uuid, seen_status text, seen_attempt integer, argument jsonb, request uuid, actor text, source text,
  why text, out result text, out came_to uuid, out message text)
language plpgsql volatile as $$
#variable_conflict use_column
declare
  first   audit;
  allowed text[] := case act_on_task.action
    when 'task.retry' then '{SCHEDULED,DEAD,CANCELLED,SUCCEEDED}'
    when 'task.cancel' then '{SCHEDULED,BLOCKED,PENDING,PROCESSING}'
    when 'task.delete' then '{SCHEDULED,BLOCKED,PENDING,SUCCEEDED,DEAD,CANCELLED}'
    else '{SCHEDULED,BLOCKED,PENDING}' end::text[];
  wanted  jsonb := act_on_task.argument;
  delay   interval := greatest(coalesce((wanted ->> 'delay')::interval, interval '0'), interval '0');
  due     timestamptz := case when wanted ? 'run_at' then greatest((wanted ->> 'run_at')::timestamptz, statement_timestamp()) end;
  gone    task;
  past    task_history;
  was     text;
  is_now  text;
  target  text := act_on_task.id;
  clash   text;
  revived record;
begin
  perform check_request(request, actor, source, why);
  if seen_status is null or seen_attempt is null or id is null
    or seen_status not in ('SCHEDULED', 'BLOCKED', 'PENDING', 'PROCESSING', 'SUCCEEDED', 'DEAD', 'CANCELLED') then
    raise exception using errcode = 'invalid_parameter_value',
      message = format('an action needs the id, the status and the attempt that were seen; the status was %L', left(seen_status, 40));
  end if;
  came_to := act_on_task.id;
  was := seen_status || '.' || seen_attempt;

  begin
    first := asked_before(request, action, target);
    if first.id is not null then
      result := first.result;
      message := 'asked before, at ' || first.at;
      if first.after ~ '^copy ' then came_to := substr(first.after, 6)::uuid; end if;
      return;
    end if;

    if seen_status <> all (allowed) then
      result := 'refused';
      message := format('%s cannot be done to a task that is %s', action, seen_status);
    elsif action = 'task.retry' and seen_status <> 'SCHEDULED' then
      select h.* into past from task_history h
      where h.id = act_on_task.id and h.finished_at >= ended_since(act_on_task.id) and h.status = seen_status::task_status
        and h.attempt = seen_attempt
      order by h.finished_at desc limit 1 for update;
      if not found then
        select h.* into past from task_history h
        where h.id = act_on_task.id and h.finished_at < ended_since(act_on_task.id) and h.status = seen_status::task_status
          and h.attempt = seen_attempt
        order by h.finished_at desc limit 1 for update;
      end if;
      if past.id is not null then
        revived := revive_task(past, delay);
        if revived.revived is null then
          result := 'refused';
          message := format('task %s has its unique key %L in queue %L', revived.holder, past.unique_key, past.queue);
        else
          result := 'done';
          came_to := revived.revived;
          is_now := case when past.status = 'SUCCEEDED' then 'copy ' || came_to
            when delay > interval '0' then 'SCHEDULED.' || past.attempt else 'PENDING.' || past.attempt end;
        end if;
      end if;
    elsif action in ('task.cancel', 'task.delete') and seen_status not in ('SUCCEEDED', 'DEAD', 'CANCELLED') then
      delete from task t
      where t.id = act_on_task.id and t.status = seen_status::task_status and t.attempt = seen_attempt
      returning t.* into gone;
      if gone.id is not null then
        result := 'done';
        is_now := case action when 'task.cancel' then 'CANCELLED.' || gone.attempt else 'deleted' end;
        if action = 'task.cancel' then perform archive_cancelled(gone, why); end if;
      end if;
    elsif action = 'task.delete' then
      delete from task_history h
      where h.id = act_on_task.id and h.status = seen_status::task_status and h.attempt = seen_attempt;
      if found then
        result := 'done';
        is_now := 'deleted';
      end if;
    else
      update task t set
        queue = coalesce(wanted ->> 'queue', t.queue),
        priority = coalesce((wanted ->> 'priority')::smallint, t.priority),
        run_at = case when action = 'task.retry' then statement_timestamp() + delay else coalesce(due, t.run_at) end,
        status = case
          when t.status = 'BLOCKED' or action in ('task.move', 'task.prioritise') then t.status
          when action = 'task.retry' and delay > interval '0' or due > statement_timestamp() then 'SCHEDULED'
          else 'PENDING' end::task_status,
        -- Whoever comes into another lane stands at its end, above what workers have looked through.
        position = nextval('task_position')
      where t.id = act_on_task.id and t.status = seen_status::task_status and t.attempt = seen_attempt
      returning t.* into gone;
      if gone.id is not null then
        result := 'done';
        is_now := gone.status || '.' || gone.attempt || case action
          when 'task.move' then ' in ' || gone.queue
          when 'task.prioritise' then ' at priority ' || gone.priority
          else ' from ' || to_char(gone.run_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') end;
        perform pg_notify(current_schema(), gone.queue);
      end if;
    end if;

    if result is null then
      select t.status || '.' || t.attempt into is_now from task t where t.id = act_on_task.id limit 1;
      if not found then select e.status || '.' || e.attempt into is_now from ended_task(act_on_task.id) e; end if;
      result := case when is_now is null then 'missing' else 'stale' end;
      message := case when is_now is null then 'there is no such task, or its history was pruned'
        else format('it was seen as %s and is %s', was, is_now) end;
    end if;
    insert into audit (id, actor, source, action, target, why, before, after, result)
    values (request, actor, source, action, target, why, was, case result when 'refused' then message else is_now end, result);
  exception when unique_violation then
    -- What was done is undone. Either the key is taken in the queue where the task was to go, or the same request was
    -- done by another session at the same time.
    get stacked diagnostics clash = constraint_name;
    came_to := act_on_task.id;
    if clash = 'audit_pkey' then
      first := asked_before(request, action, target);
      result := first.result;
      message := 'asked before, at ' || first.at;
      if first.after ~ '^copy ' then came_to := substr(first.after, 6)::uuid; end if;
      return;
    end if;
    result := 'refused';
    select format('task %s has its unique key %L in queue %L',
        key_holder(wanted ->> 'queue', t.unique_key, t.id), t.unique_key, wanted ->> 'queue')
      into message from task t where t.id = act_on_task.id;
    message := coalesce(message, 'its unique key is taken where it was to go');
    insert into audit (id, actor, source, action, target, why, before, after, result)
    values (request, actor, source, action, target, why, was, message, result)
    on conflict do nothing;
  end;
  message := coalesce(message, '');
end $$;

-- Runs a task again that ended, or now one that waits for its time.
create function retry_task(
  id uuid, seen_status text, seen_attempt integer, delay interval default '0', request uuid default gen_random_uuid(),
  actor text default session_user, source text default 'sql', why text default '',
  out result text, out came_to uuid, out message text)
language plpgsql volatile security definer as $$
#variable_conflict use_variable
begin
  if delay > interval '36525 days' then
    raise exception using errcode = 'invalid_parameter_value', message = format('delay must be at most 100 years, was %s', delay);
  end if;
  select a.* into result, came_to, message from act_on_task('task.retry', id, seen_status, seen_attempt,
    jsonb_build_object('delay', delay), request, actor, source, why) a;
end $$;

-- Calls a task off, whether it waits or runs.
create function cancel_task(
  id uuid, seen_status text, seen_attempt integer, request uuid default gen_random_uuid(), actor text default session_user,
  source text default 'sql', why text default '', out result text, out came_to uuid, out message text)
language plpgsql volatile security definer as $$
#variable_conflict use_variable
begin
  select a.* into result, came_to, message from act_on_task('task.cancel', id, seen_status, seen_attempt, '{}',
    request, actor, source, why) a;
end $$;

-- Forgets a task that waits or has ended, and keeps no history of it.
create function delete_task(
  id uuid, seen_status text, seen_attempt integer, request uuid default gen_random_uuid(), actor text default session_user,
  source text default 'sql', why text default '', out result text, out came_to uuid, out message text)
language plpgsql volatile security definer as $$
#variable_conflict use_variable
begin
  select a.* into result, came_to, message from act_on_task('task.delete', id, seen_status, seen_attempt, '{}',
    request, actor, source, why) a;
end $$;

-- Puts a task that waits into another queue.
create function move_task(
  id uuid, seen_status text, seen_attempt integer, queue text, request uuid default gen_random_uuid(),
  actor text default session_user, source text default 'sql', why text default '',
  out result text, out came_to uuid, out message text)
language plpgsql volatile security definer as $$
#variable_conflict use_variable
begin
  perform check_name('queue', queue);
  select a.* into result, came_to, message from act_on_task('task.move', id, seen_status, seen_attempt,
    jsonb_build_object('queue', queue), request, actor, source, why) a;
end $$;

-- Makes a task that waits more or less urgent; it goes to the end of its lane.
create function prioritise_task(
  id uuid, seen_status text, seen_attempt integer, priority integer, request uuid default gen_random_uuid(),
  actor text default session_user, source text default 'sql', why text default '',
  out result text, out came_to uuid, out message text)
language plpgsql volatile security definer as $$
#variable_conflict use_variable
begin
  if coalesce(priority, 0) not between 1 and 4 then
    raise exception using errcode = 'invalid_parameter_value',
      message = format('priority must be 1 (urgent) to 4 (low), was %s', priority);
  end if;
  select a.* into result, came_to, message from act_on_task('task.prioritise', id, seen_status, seen_attempt,
    jsonb_build_object('priority', priority), request, actor, source, why) a;
end $$;

-- Gives a task that waits another time to run; one that has passed means at once.
create function reschedule_task(
  id uuid, seen_status text, seen_attempt integer, run_at timestamptz, request uuid default gen_random_uuid(),
  actor text default session_user, source text default 'sql', why text default '',
  out result text, out came_to uuid, out message text)
language plpgsql volatile security definer as $$
#variable_conflict use_variable
begin
  if run_at is null or not isfinite(run_at) or run_at > timestamptz '9999-12-31 23:59:59Z' then
    raise exception using errcode = 'invalid_parameter_value',
      message = format('run_at must lie before the year 10000, was %s', coalesce(run_at::text, 'null'));
  end if;
  select a.* into result, came_to, message from act_on_task('task.reschedule', id, seen_status, seen_attempt,
    jsonb_build_object('run_at', run_at), request, actor, source, why) a;
end $$;

-- What a task carries, which nobody sees unseen. Null: there is none of this id.
create function reveal_task(
  id uuid, request uuid default gen_random_uuid(), actor text default session_user, source text default 'sql',
  why text default '') returns text
language plpgsql volatile security definer as $$
#variable_conflict use_column
declare
  first audit;
  shown text;
begin
  perform check_request(request, actor, source, why);
  first := asked_before(request, 'payload.reveal', reveal_task.id::text);
  select t.payload::text into shown from task t where t.id = reveal_task.id limit 1;
  if not found then select e.payload::text into shown from ended_task(reveal_task.id) e; end if;
  if first.id is null then
    insert into audit (id, actor, source, action, target, why, result)
    values (request, actor, source, 'payload.reveal', reveal_task.id::text, why,
      case when shown is null then 'missing' else 'done' end)
    on conflict do nothing;
  end if;
  return shown;
end $$;

-- How many tasks run in a queue, counted to ten thousand.
create function running_in(queue text, kind text) returns integer language sql stable as $$
  select count(*)::integer from (
    select from task t where t.status = 'PROCESSING' and (running_in.queue is null or t.queue = running_in.queue)
      and (running_in.kind is null or t.kind = running_in.kind) limit 10000) r
$$;

-- Pauses or resumes: what every such action answers is how the queue or the kind stands now, and how many of its tasks
-- still run. Who comes second changes nothing and sees what the first said.
create function switch(
  what text, target text, pauses boolean, request uuid, actor text, source text, why text,
  out result text, out paused_at timestamptz, out paused_by text, out paused_why text, out running integer, out message text)
language plpgsql volatile as $$
#variable_conflict use_variable
declare
  action text := what || case when pauses then '.pause' else '.resume' end;
  first  audit;
  done   boolean;
  clash  text;
begin
  perform check_request(request, actor, source, why);
  perform check_name(what, target);
  message := '';
  begin
    first := asked_before(request, action, target);
    if first.id is null then
      if what = 'queue' and pauses then
        insert into queue as q (name, paused_at, paused_by, paused_why) values (target, clock_timestamp(), actor, why)
        on conflict (name) do update set paused_at = excluded.paused_at, paused_by = excluded.paused_by,
          paused_why = excluded.paused_why where q.paused_at is null;
      elsif what = 'queue' then
        update queue q set paused_at = null, paused_by = null, paused_why = null
        where q.name = target and q.paused_at is not null;
      elsif pauses then
        insert into kind as k (name, paused_at, paused_by, paused_why) values (target, clock_timestamp(), actor, why)
        on conflict (name) do update set paused_at = excluded.paused_at, paused_by = excluded.paused_by,
          paused_why = excluded.paused_why where k.paused_at is null;
      else
        update kind k set paused_at = null, paused_by = null, paused_why = null
        where k.name = target and k.paused_at is not null;
      end if;
      done := found;
      if done and not pauses then
        perform pg_notify(current_schema(), b.name) from (
          select target as name where what = 'queue'
          union
          select unnest(w.queues) from worker w where what = 'kind' and target = any (w.kinds)) b;
      end if;
      insert into audit (id, actor, source, action, target, why, before, after, result)
      values (request, actor, source, action, target, why, case when pauses = done then 'running' else 'paused' end,
        case when pauses then 'paused' else 'running' end, case when done then 'done' else 'stale' end);
      result := case when done then 'done' else 'stale' end;
    end if;
  exception when unique_violation then
    get stacked diagnostics clash = constraint_name;
    if clash <> 'audit_pkey' then raise; end if;
    first := asked_before(request, action, target);
  end;
  if first.id is not null then
    result := first.result;
    message := 'asked before, at ' || first.at;
  end if;
  if what = 'queue' then
    select q.paused_at, q.paused_by, q.paused_why into paused_at, paused_by, paused_why from queue q where q.name = target;
    running := running_in(target, null);
  else
    select k.paused_at, k.paused_by, k.paused_why into paused_at, paused_by, paused_why from kind k where k.name = target;
    running := running_in(null, target);
  end if;
  if result = 'stale' and message = '' then
    message := case when pauses then format('%s %L was paused already by %s', what, target, paused_by)
      else format('%s %L was not paused', what, target) end;
  end if;
end $$;

-- No task of the queue is claimed until it is resumed; what runs goes on.
create function pause_queue(
  name text, why text, request uuid default gen_random_uuid(), actor text default session_user, source text default 'sql',
  out result text, out paused_at timestamptz, out paused_by text, out paused_why text, out running integer, out message text)
language sql volatile security definer as $$ select * from switch('queue', name, true, request, actor, source, why) $$;

create function resume_queue(
  name text, why text default '', request uuid default gen_random_uuid(), actor text default session_user,
  source text default 'sql',
  out result text, out paused_at timestamptz, out paused_by text, out paused_why text, out running integer, out message text)
language sql volatile security definer as $$ select * from switch('queue', name, false, request, actor, source, why) $$;

-- No task of the kind is claimed in any queue until it is resumed; what runs goes on.
create function pause_kind(
  name text, why text, request uuid default gen_random_uuid(), actor text default session_user, source text default 'sql',
  out result text, out paused_at timestamptz, out paused_by text, out paused_why text, out running integer, out message text)
language sql volatile security definer as $$ select * from switch('kind', name, true, request, actor, source, why) $$;

create function resume_kind(
  name text, why text default '', request uuid default gen_random_uuid(), actor text default session_user,
  source text default 'sql',
  out result text, out paused_at timestamptz, out paused_by text, out paused_why text, out running integer, out message text)
language sql volatile security definer as $$ select * from switch('kind', name, false, request, actor, source, why) $$;

-- Keeps the finished tasks of a queue for so long, by how they ended; zero: not at all. Answers done, also of a request that
-- was done before.
create function retain_queue(
  name text, succeeded interval, dead interval, cancelled interval, why text default '',
  request uuid default gen_random_uuid(), actor text default session_user, source text default 'sql') returns text
language plpgsql volatile security definer as $$
#variable_conflict use_variable
declare
  longest constant interval := '36525 days';
  was     text;
begin
  perform check_request(request, actor, source, why);
  perform check_name('queue', name);
  if succeeded is null or dead is null or cancelled is null or least(succeeded, dead, cancelled) < interval '0'
    or greatest(succeeded, dead, cancelled) > longest then
    raise exception using errcode = 'invalid_parameter_value',
      message = format('a retention must be zero to 36525 days, was %s, %s and %s', succeeded, dead, cancelled);
  end if;
  if (asked_before(request, 'queue.retain', name)).id is not null then return 'done'; end if;
  select format('succeeded %s, dead %s, cancelled %s', retention_of(q, 'SUCCEEDED'), retention_of(q, 'DEAD'),
    retention_of(q, 'CANCELLED')) into was from queue q where q.name = retain_queue.name for update;
  insert into queue as q (name, retention, retention_succeeded, retention_dead, retention_cancelled)
  values (name, greatest(succeeded, dead, cancelled), succeeded, dead, cancelled)
  on conflict on constraint queue_pkey do update set retention = excluded.retention,
    retention_succeeded = excluded.retention_succeeded, retention_dead = excluded.retention_dead,
    retention_cancelled = excluded.retention_cancelled;
  insert into audit (id, actor, source, action, target, why, before, after, result)
  values (request, actor, source, 'queue.retain', name, why, coalesce(was, 'the default'),
    format('succeeded %s, dead %s, cancelled %s', succeeded, dead, cancelled), 'done')
  on conflict do nothing;                               -- the same request, done at the same time: it set the same
  return 'done';
end $$;

-- Asks a worker process to take no more tasks, or to take them again; it hears at its next beat.
create function steer_worker(
  worker uuid, drains boolean, request uuid, actor text, source text, why text,
  out result text, out running integer, out message text)
language plpgsql volatile as $$
#variable_conflict use_variable
declare
  action text := case when drains then 'worker.drain' else 'worker.undrain' end;
  first  audit;
  clash  text;
  found_ worker;
begin
  perform check_request(request, actor, source, why);
  message := '';
  begin
    first := asked_before(request, action, worker::text);
    if first.id is null then
      update worker w set
        drained_at = case when drains then clock_timestamp() end,
        drained_by = case when drains then actor end,
        drained_why = case when drains then why end
      where w.id = worker and w.status <> 'DEAD' and (w.drained_at is null) = drains
      returning w.* into found_;
      result := case when found_.id is not null then 'done' end;
      if result is null then
        select w.* into found_ from worker w where w.id = worker;
        result := case when found_.id is null then 'missing' when found_.status = 'DEAD' then 'refused' else 'stale' end;
        message := case result
          when 'missing' then format('there is no worker %s; it may have stopped, or registered anew', worker)
          when 'refused' then format('worker %s was declared dead', worker)
          when 'stale' then case when drains then format('worker %s was asked to drain already by %s', worker, found_.drained_by)
            else format('worker %s was not asked to drain', worker) end end;
      end if;
      insert into audit (id, actor, source, action, target, why, after, result)
      values (request, actor, source, action, worker::text, why, case when drains then 'draining' else 'running' end, result);
    end if;
  exception when unique_violation then
    get stacked diagnostics clash = constraint_name;
    if clash <> 'audit_pkey' then raise; end if;
    first := asked_before(request, action, worker::text);
  end;
  if first.id is not null then
    result := first.result;
    message := 'asked before, at ' || first.at;
  end if;
  select count(*)::integer into running from task t where t.status = 'PROCESSING' and t.worker_id = worker;
end $$;

create function drain_worker(
  worker uuid, why text, request uuid default gen_random_uuid(), actor text default session_user, source text default 'sql',
  out result text, out running integer, out message text)
language sql volatile security definer as $$ select * from steer_worker(worker, true, request, actor, source, why) $$;

create function undrain_worker(
  worker uuid, why text default '', request uuid default gen_random_uuid(), actor text default session_user,
  source text default 'sql', out result text, out running integer, out message text)
language sql volatile security definer as $$ select * from steer_worker(worker, false, request, actor, source, why) $$;

create or replace function schema_version() returns integer language sql immutable as 'select 5';

-- As in version 4: nobody may call anything until he is granted it, temporary objects come last in the path, and what
-- walks task is planned by index, once.
do $$
declare
  f record;
begin
  for f in
    select p.oid::regprocedure as name, p.prosecdef as definer, p.proname as short from pg_proc p
    where p.pronamespace = current_schema()::regnamespace and p.proname not in ('schema_version', 'schema_serves_from')
  loop
    execute format('revoke all on function %s from public', f.name);
    continue when not f.definer;
    execute format('alter function %s set search_path = %I, pg_temp', f.name, current_schema());
    continue when f.short in ('create_history_partitions', 'register', 'heartbeat');
    if f.short = 'prune_history' then
      execute format('alter function %s set lock_timeout = %L', f.name, '50ms');
      continue;
    end if;
    execute format('alter function %s set enable_seqscan = off', f.name);
    execute format('alter function %s set enable_bitmapscan = off', f.name);
    execute format('alter function %s set jit = off', f.name);
    execute format('alter function %s set plan_cache_mode = force_generic_plan', f.name);
  end loop;
end $$;

-- Schedules as people steer them: paused, resumed and run once by functions that write the audit, so that whoever may do
-- that needs no right to their table. A retention that is changed only if it is as it was seen. And an end to the audit,
-- for those who want one.

-- How long the audit is kept; no row: for ever. Written by retain_audit alone: who works or acts must not be able to
-- shorten what tells of it.
create table audit_retention (
  one  boolean  primary key default true,
  kept interval not null,
  constraint audit_retention_is_one check (one),
  constraint audit_retention_not_short check (kept >= interval '30 days' and kept <= interval '36525 days')
);

insert into duty (name, every) values
  ('audit', '1 hour');        -- forget of the audit what it is to keep no longer

-- Pauses or resumes a schedule; answers how it stands now. When it ticks next cannot be said in SQL, so whoever resumes it
-- says so, and since when he saw it stand as it does. Who comes second changes nothing and sees what the first said.
create function switch_schedule(
  target text, pauses boolean, seen timestamptz, next_tick timestamptz, request uuid, actor text, source text, why text,
  out result text, out paused_at timestamptz, out paused_by text, out paused_why text, out message text)
language plpgsql volatile as $$
#variable_conflict use_variable
declare
  action   text := case when pauses then 'schedule.pause' else 'schedule.resume' end;
  first    audit;
  clash    text;
  standing schedule;
begin
  perform check_request(request, actor, source, why);
  perform check_name('schedule', target);
  if not pauses and (seen is null or next_tick is null or not isfinite(next_tick)) then
    raise exception using errcode = 'invalid_parameter_value',
      message = 'who resumes a schedule says when it ticks next, and the changed_at that was seen';
  end if;
  message := '';
  begin
    first := asked_before(request, action, target);
    if first.id is null then
      if pauses then
        update schedule s set paused_at = clock_timestamp(), paused_by = actor, paused_why = why, changed_at = clock_timestamp()
        where s.name = target and s.paused_at is null;
      else
        -- No tick that was decided may come again.
        update schedule s set paused_at = null, paused_by = null, paused_why = null, changed_at = clock_timestamp(),
          next_tick_at = next_tick
        where s.name = target and s.paused_at is not null and s.changed_at = seen
          and next_tick > coalesce(s.last_tick_at, '-infinity');
      end if;
      result := case when found then 'done' end;
      select s.* into standing from schedule s where s.name = target;
      if result = 'done' and not pauses then perform pg_notify(current_schema(), standing.queue); end if;
      if result is null then
        result := case when standing.name is null then 'missing' else 'stale' end;
        message := case
          when standing.name is null then format('there is no schedule %L', target)
          when pauses then format('schedule %L was paused already by %s', target, standing.paused_by)
          when standing.paused_at is null then format('schedule %L was not paused', target)
          else format('schedule %L was changed since it was seen', target) end;
      end if;
      insert into audit (id, actor, source, action, target, why, before, after, result)
      values (request, actor, source, action, target, why,
        case when result = 'missing' then null when (standing.paused_at is null) = (result = 'done') then 'paused'
          else 'running' end,
        case when result = 'missing' then null when standing.paused_at is null then 'running' else 'paused' end, result);
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
  select s.paused_at, s.paused_by, s.paused_why into paused_at, paused_by, paused_why from schedule s where s.name = target;
end $$;

-- No tick until it is resumed; the tasks that are there stay.
create function pause_schedule(
  name text, why text, request uuid default gen_random_uuid(), actor text default session_user, source text default 'sql',
  out result text, out paused_at timestamptz, out paused_by text, out paused_why text, out message text)
language sql volatile security definer as $$
  select * from switch_schedule(name, true, null, null, request, actor, source, why)
$$;

-- It ticks again, at next_tick and from then on; what passed while it was paused was not missed.
create function resume_schedule(
  name text, seen timestamptz, next_tick timestamptz, why text default '', request uuid default gen_random_uuid(),
  actor text default session_user, source text default 'sql',
  out result text, out paused_at timestamptz, out paused_by text, out paused_why text, out message text)
language sql volatile security definer as $$
  select * from switch_schedule(name, false, seen, next_tick, request, actor, source, why)
$$;

-- Enqueues now what a tick of the schedule would, also while it is paused; its ticks stay as they are. Answers the task.
create function run_schedule(
  name text, why text default '', request uuid default gen_random_uuid(), actor text default session_user,
  source text default 'sql', out result text, out task uuid, out message text)
language plpgsql volatile security definer as $$
#variable_conflict use_variable
declare
  first audit;
  clash text;
  s     schedule;
begin
  perform check_request(request, actor, source, why);
  perform check_name('schedule', name);
  message := '';
  begin
    first := asked_before(request, 'schedule.run', name);
    if first.id is null then
      select c.* into s from schedule c where c.name = run_schedule.name for no key update;
      if s.name is null then
        result := 'missing';
        message := format('there is no schedule %L', name);
      elsif s.overlap = 'skip' and exists (select from task t where t.id = s.last_task_id) then
        result := 'refused';
        message := format('task %s of its last run has not ended, and it is not to overlap', s.last_task_id);
      else
        insert into task as t (id, queue, kind, priority, status, run_at, max_attempts, timeout, payload, headers)
        values (uuid7(), s.queue, s.kind, s.priority, 'PENDING', statement_timestamp(), s.max_attempts, s.timeout, s.payload,
          coalesce(s.headers, '{}') || jsonb_build_object('dibs-schedule', s.name, 'dibs-tick',
            to_char(statement_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')))
        returning t.id into task;
        update schedule c set last_task_id = task where c.name = s.name;
        perform pg_notify(current_schema(), s.queue);
        result := 'done';
      end if;
      insert into audit (id, actor, source, action, target, why, after, result)
      values (request, actor, source, 'schedule.run', name, why,
        case result when 'done' then 'task ' || task when 'refused' then message end, result);
    end if;
  exception when unique_violation then
    get stacked diagnostics clash = constraint_name;
    if clash <> 'audit_pkey' then raise; end if;
    first := asked_before(request, 'schedule.run', name);
  end;
  if first.id is not null then
    result := first.result;
    message := 'asked before, at ' || first.at;
    task := case when first.after ~ '^task ' then substr(first.after, 6)::uuid end;
  end if;
end $$;

-- As retain_queue, if the queue's retention is what was seen; else it is left, and the answer is stale and what it is.
create function retain_queue_as_seen(
  name text, succeeded interval, dead interval, cancelled interval, seen_succeeded interval, seen_dead interval,
  seen_cancelled interval, why text default '', request uuid default gen_random_uuid(), actor text default session_user,
  source text default 'sql', out result text, out message text)
language plpgsql volatile security definer as $$
#variable_conflict use_variable
declare
  first audit;
  kept  record;
  shown text;
begin
  perform check_request(request, actor, source, why);
  perform check_name('queue', name);
  message := '';
  first := asked_before(request, 'queue.retain', name);
  if first.id is not null then
    result := first.result;
    message := 'asked before, at ' || first.at;
    return;
  end if;
  insert into queue (name) values (name) on conflict do nothing;  -- a row to wait for each other at
  select retention_of(q, 'SUCCEEDED') as succeeded, retention_of(q, 'DEAD') as dead, retention_of(q, 'CANCELLED') as cancelled
    into kept from queue q where q.name = retain_queue_as_seen.name for update;
  if kept.succeeded = seen_succeeded and kept.dead = seen_dead and kept.cancelled = seen_cancelled then
    result := retain_queue(name, succeeded, dead, cancelled, why, request, actor, source);
    return;
  end if;
  result := 'stale';
  shown := format('succeeded %s, dead %s, cancelled %s', kept.succeeded, kept.dead, kept.cancelled);
  message := format('queue %L keeps by now: %s', name, shown);
  insert into audit (id, actor, source, action, target, why, before, after, result)
  values (request, actor, source, 'queue.retain', name, why, shown, shown, result)
  on conflict do nothing;
end $$;

-- Keeps of the audit what is younger than that, 30 days at least; null: all of it, for ever. The owner's alone, and in the
-- audit itself, so whoever shortens it is seen for as long as anything is.
create function retain_audit(
  kept interval, why text default '', request uuid default gen_random_uuid(), actor text default session_user,
  source text default 'sql') returns text
language plpgsql volatile security definer as $$
#variable_conflict use_variable
declare
  was interval;
begin
  perform check_request(request, actor, source, why);
  if not (kept >= interval '30 days' and kept <= interval '36525 days') then
    raise exception using errcode = 'invalid_parameter_value',
      message = format('the audit is kept for 30 to 36525 days, or for ever, which is null; was %s', kept);
  end if;
  if (asked_before(request, 'audit.retain', 'audit')).id is not null then return 'done'; end if;
  delete from audit_retention r returning r.kept into was;
  insert into audit_retention (kept) select kept where kept is not null;
  insert into audit (id, actor, source, action, target, why, before, after, result)
  values (request, actor, source, 'audit.retain', 'audit', why, coalesce(was::text, 'for ever'),
    coalesce(kept::text, 'for ever'), 'done');
  return 'done';
end $$;

-- Forgets at most most rows of the audit that are older than it is to be kept; answers whether there may be more.
create function prune_audit(most integer default 5000) returns boolean language plpgsql security definer as $$
declare
  kept interval := (select r.kept from audit_retention r);
  gone integer;
begin
  if kept is null then return false; end if;
  delete from audit a where a.id = any (array(
    select o.id from audit o where o.at < clock_timestamp() - kept order by o.at limit most));
  get diagnostics gone = row_count;
  return gone = most;
end $$;

create or replace function schema_version() returns integer language sql immutable as 'select 9';

-- As in version 5: nobody's until he is granted it, temporary objects last in the path, planned by index and once.
do $$
declare
  f record;
begin
  for f in
    select p.oid::regprocedure as name, p.prosecdef as definer from pg_proc p
    where p.pronamespace = current_schema()::regnamespace
      and p.proname in ('switch_schedule', 'pause_schedule', 'resume_schedule', 'run_schedule', 'retain_queue_as_seen',
        'retain_audit', 'prune_audit')
  loop
    execute format('revoke all on function %s from public', f.name);
    continue when not f.definer;
    execute format('alter function %s set search_path = %I, pg_temp', f.name, current_schema());
    execute format('alter function %s set enable_seqscan = off', f.name);
    execute format('alter function %s set enable_bitmapscan = off', f.name);
    execute format('alter function %s set jit = off', f.name);
    execute format('alter function %s set plan_cache_mode = force_generic_plan', f.name);
  end loop;
end $$;

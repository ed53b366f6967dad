-- Why is this task not running? One function that anybody who may look can ask; it reads, and whatever it counts it
-- stops counting at 10,001. Builds that do not know it go on beside it.
--
-- Written as the functions before are: parameters have the names of columns, so each function says which of the two a
-- bare name is; no backslashes. No sentence and no detail holds what a task carries.

-- A span of time as people say it.
create function spoken(span interval) returns text language sql immutable as $$
  select case
    when s < 60 then floor(s) || ' s'
    when s < 3600 then floor(s / 60) || ' min'
    when s < 172800 then floor(s / 3600) || ' h' || case when mod(s, 3600) >= 60 then ' ' || floor(mod(s, 3600) / 60) || ' min' else '' end
    else floor(s / 86400) || ' d' || case when mod(s, 86400) >= 3600 then ' ' || floor(mod(s, 86400) / 3600) || ' h' else '' end
  end from (select greatest(extract(epoch from span), 0) as s) e
$$;

-- An error of a task on one line.
create function spoken(error jsonb) returns text language sql immutable as $$
  select left(error ->> 'class', 120)
    || coalesce(': ' || nullif(left(regexp_replace(error ->> 'message', '[[:space:]]+', ' ', 'g'), 200), ''), '')
$$;

create function spoken(moment timestamptz) returns text language sql immutable as $$
  select to_char(moment at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS') || ' UTC'
$$;

-- The last error that a run of a task ended with, the loss of its worker apart.
create function last_error(errors jsonb) returns jsonb language sql immutable as $$
  select e.error from jsonb_array_elements(errors) with ordinality e (error, n)
  where e.error ->> 'class' is distinct from 'worker lost' order by e.n desc limit 1
$$;

-- The hosts whose workers a task lost.
create function lost_on(errors jsonb) returns text language sql immutable as $$
  select string_agg(distinct left(e.error ->> 'host', 255), ', ') from jsonb_array_elements(errors) e (error)
  where e.error ->> 'class' = 'worker lost'
$$;

-- Of a task that runs: who has it.
create function explain_holder(held task)
returns table (code text, effect text, sentence text, since timestamptz, until timestamptz, details jsonb)
language plpgsql stable as $$
#variable_conflict use_variable
declare
  now    timestamptz := clock_timestamp();
  span   text := spoken(now - held.claimed_at);
  holder worker;
begin
  since := held.claimed_at;
  select w.* into holder from worker w where w.id = held.worker_id;
  until := holder.lease_until;
  details := jsonb_build_object('worker', held.worker_id, 'host', holder.host, 'pid', holder.pid, 'attempt', held.attempt);
  if holder.id is null then
    code := 'held-by-nobody'; effect := 'blocking';
    sentence := format('held for %s in the name of worker %s, which has no row any more', span, held.worker_id);
  elsif holder.status = 'DEAD' or holder.lease_until < now then
    code := 'held-silent'; effect := 'blocking';
    sentence := format('held for %s by worker %s on %s (pid %s), whose lease ran out %s ago', span, holder.id, holder.host,
      holder.pid, spoken(now - holder.lease_until));
  else
    code := 'held'; effect := 'fulfilled';
    sentence := format('runs for %s, attempt %s, on worker %s on %s (pid %s), whose lease holds for %s more', span, held.attempt,
      holder.id, holder.host, holder.pid, spoken(holder.lease_until - now));
  end if;
  return next;
  if held.claimed_at + held.timeout < now then
    code := 'timed-out'; effect := 'note'; since := held.claimed_at + held.timeout; until := null;
    details := jsonb_build_object('timeout', spoken(held.timeout));
    sentence := format('its timeout of %s passed %s ago: it waits for a slot or its handler does not stop', spoken(held.timeout),
      spoken(now - since));
    return next;
  end if;
end $$;

-- Where a task stands that has not ended, and what became of its attempts.
create function explain_state(t task)
returns table (code text, effect text, sentence text, since timestamptz, until timestamptz, details jsonb)
language plpgsql stable as $$
#variable_conflict use_variable
declare
  now   timestamptz := clock_timestamp();
  error jsonb := last_error(t.errors);
begin
  if t.status = 'PROCESSING' then
    return query select x.* from explain_holder(t) x;
  elsif t.status = 'BLOCKED' then
    code := 'blocked'; effect := 'blocking'; since := t.created_at;
    details := jsonb_strip_nulls(jsonb_build_object('concurrencyKey', t.concurrency_key, 'uniqueKey', t.unique_key));
    sentence := case when t.concurrency_key is not null then format('waits for its concurrency key %L', t.concurrency_key)
      when t.unique_key is not null then format('waits for its unique key %L', t.unique_key)
      else 'waits for another task' end;
    return next;
  elsif t.run_at > now then
    code := 'not-due'; effect := 'blocking'; until := t.run_at;
    sentence := format('not due for %s', spoken(t.run_at - now));
    return next;
  elsif t.status = 'SCHEDULED' and t.run_at < now - interval '10 seconds' then
    code := 'not-promoted'; effect := 'blocking'; since := t.run_at;
    sentence := format('due for %s, but no worker has made it ready', spoken(now - t.run_at));
    return next;
  else
    code := 'due'; effect := 'fulfilled'; since := t.run_at;
    sentence := format('due for %s', spoken(now - t.run_at));
    return next;
  end if;

  if t.failures > 0 then
    code := 'retry'; effect := 'note'; since := (error ->> 'at')::timestamptz;
    until := case when t.status = 'SCHEDULED' then t.run_at end;
    details := jsonb_build_object('retry', t.failures, 'retries', t.max_attempts - 1, 'attempt', t.attempt, 'class', left(error ->> 'class', 255));
    sentence := format('retry %s of %s', t.failures, t.max_attempts - 1) || coalesce(' after ' || spoken(error), '');
    return next;
  end if;
  if t.losses > 0 then
    code := 'losses'; effect := 'note'; since := null; until := null;
    details := jsonb_build_object('losses', t.losses, 'hosts', lost_on(t.errors));
    sentence := case t.losses when 1 then 'lost its worker once' else format('lost its worker %s times', t.losses) end || coalesce(' on ' || lost_on(t.errors), '');
    return next;
  end if;
end $$;

-- Whether its queue and its kind are served at all.
create function explain_pauses(t task)
returns table (code text, effect text, sentence text, since timestamptz, until timestamptz, details jsonb)
language plpgsql stable as $$
#variable_conflict use_variable
declare
  q queue;
  k kind;
begin
  select o.* into q from queue o where o.name = t.queue and o.paused_at is not null;
  effect := case when found then 'blocking' else 'fulfilled' end;
  code := case when found then 'queue-paused' else 'queue-active' end;
  since := q.paused_at;
  details := jsonb_strip_nulls(jsonb_build_object('queue', t.queue, 'by', q.paused_by, 'why', q.paused_why));
  sentence := case when q.paused_at is null then format('queue %L is not paused', t.queue) else
    format('queue %L was paused %s ago', t.queue, spoken(clock_timestamp() - since)) || coalesce(' by ' || q.paused_by, '')
    || coalesce(': ' || nullif(q.paused_why, ''), '') end;
  return next;

  select o.* into k from kind o where o.name = t.kind and o.paused_at is not null;
  effect := case when found then 'blocking' else 'fulfilled' end;
  code := case when found then 'kind-paused' else 'kind-active' end;
  since := k.paused_at;
  details := jsonb_strip_nulls(jsonb_build_object('kind', t.kind, 'by', k.paused_by, 'why', k.paused_why));
  sentence := case when k.paused_at is null then format('kind %L is not paused', t.kind) else
    format('kind %L was paused %s ago', t.kind, spoken(clock_timestamp() - since)) || coalesce(' by ' || k.paused_by, '')
    || coalesce(': ' || nullif(k.paused_why, ''), '') end;
  return next;
end $$;

-- Who could take it. What a worker holds counts whether it runs or waits in its buffer, and its concurrency is that of
-- all its queues together: no more is known here.
create function explain_workers(t task)
returns table (code text, effect text, sentence text, since timestamptz, until timestamptz, details jsonb)
language plpgsql stable as $$
#variable_conflict use_variable
declare
  now     timestamptz := clock_timestamp();
  most    constant integer := 10000;
  serving integer := 0;
  knowing integer := 0;
  silent  integer := 0;
  taking  worker[];
  drained jsonb;
  holding integer;
  held    integer := 0;
  slots   integer := 0;
  room    boolean := false;
  w       worker;
begin
  for w in select o.* from worker o where t.queue = any (o.queues) limit most loop
    if w.status = 'DEAD' or w.lease_until < now then
      silent := silent + 1;
      continue;
    end if;
    serving := serving + 1;
    continue when t.kind <> all (w.kinds);
    knowing := knowing + 1;
    if w.status = 'LIVE' then taking := taking || w; else drained := to_jsonb(w); end if;
  end loop;
  details := jsonb_build_object('queue', t.queue, 'kind', t.kind, 'serving', serving, 'knowing', knowing,
    'taking', coalesce(cardinality(taking), 0), 'silent', silent);

  effect := 'blocking';
  if serving = 0 then
    code := 'no-worker';
    sentence := format('no live worker serves queue %L', t.queue)
      || case when silent > 0 then format('; %s that did are silent or dead', silent) else '' end;
  elsif knowing = 0 then
    code := 'kind-unknown';
    sentence := format('no worker of queue %L knows kind %L; %s serve the queue', t.queue, t.kind, serving);
  elsif taking is null then
    code := 'workers-draining';
    sentence := format('all workers that could take it take no more tasks: %s of %s', knowing, knowing)
      || coalesce('; drained by ' || (drained ->> 'drained_by'), '') || coalesce(': ' || nullif(drained ->> 'drained_why', ''), '');
  else
    code := 'served'; effect := 'fulfilled';
    sentence := format('served: %s live workers of queue %L know kind %L', cardinality(taking), t.queue, t.kind);
  end if;
  return next;
  if t.status <> 'PENDING' or taking is null then return; end if;

  foreach w in array taking loop
    select count(*) into holding from (
      select from task o where o.worker_id = w.id and o.status = 'PROCESSING' limit least(w.concurrency, most) + 1) o;
    held := held + holding;
    slots := slots + least(w.concurrency, most);
    room := holding < w.concurrency;
    exit when room or slots > most;
  end loop;
  if slots > most and not room then
    code := 'room'; effect := 'unknown';
    sentence := format('whether they have room was not counted beyond %s tasks', most);
  elsif room then
    code := 'room'; effect := 'fulfilled';
    sentence := format('worker %s on %s has room: it holds %s of %s', w.id, w.host, holding, w.concurrency);
  else
    code := 'workers-full'; effect := 'blocking';
    sentence := format('all workers that could take it are full: they hold %s tasks and run %s at a time', held, slots);
  end if;
  details := jsonb_build_object('held', held, 'slots', slots);
  return next;
end $$;

-- How many are before it, and how long they take at the rate at which its queue has lately finished tasks.
create function explain_lane(t task)
returns table (code text, effect text, sentence text, since timestamptz, until timestamptz, details jsonb)
language plpgsql stable as $$
#variable_conflict use_variable
declare
  now    timestamptz := clock_timestamp();
  most   constant integer := 10001;
  ahead  integer;
  urgent integer;
  done   integer;
  first  timestamptz;
  rate   numeric;
begin
  if t.status <> 'PENDING' then return; end if;
  select count(*) into ahead from (
    select from task o where o.queue = t.queue and o.status = 'PENDING' and o.priority = t.priority and o.position < t.position
    limit most) o;
  select count(*) into urgent from (
    select from task o where o.queue = t.queue and o.status = 'PENDING' and o.priority < t.priority limit most) o;
  select count(*), min(h.finished_at) into done, first from (
    select o.finished_at from task_history o where o.queue = t.queue and o.finished_at > now - interval '1 minute'
    order by o.finished_at desc limit most) h;
  rate := round(done / case when done < most then 60 else greatest(extract(epoch from now - first), 0.001) end, 2);
  details := jsonb_build_object('queue', t.queue, 'priority', t.priority, 'ahead', ahead, 'moreUrgent', urgent,
    'countedUpTo', most - 1, 'perSecond', nullif(rate, 0));
  if ahead + urgent = 0 then
    code := 'next'; effect := 'fulfilled';
    sentence := format('first of its lane: queue %L, priority %s', t.queue, t.priority);
  else
    code := 'behind'; effect := 'blocking';
    sentence := format('behind %s others of its lane (queue %L, priority %s)%s; ',
      case when ahead < most then ahead::text else 'more than 10000' end, t.queue, t.priority,
      case when urgent = 0 then '' when urgent < most then format(' and %s more urgent', urgent) else ' and more than 10000 more urgent' end)
      || case when rate = 0 then 'how long that takes is not known: none of this queue ended within a minute'
        else format('at %s/s %s %s', case when rate < 10 then round(rate, 1) else round(rate) end,
          case when greatest(ahead, urgent) < most then 'about' else 'more than' end,
          spoken((ahead + urgent) / rate * interval '1 second')) end;
  end if;
  return next;
end $$;

-- How a task ended.
create function explain_end(gone task_history)
returns table (code text, effect text, sentence text, since timestamptz, until timestamptz, details jsonb)
language plpgsql stable as $$
#variable_conflict use_variable
declare
  error jsonb := gone.errors -> -1;
begin
  since := gone.finished_at;
  details := jsonb_strip_nulls(jsonb_build_object('status', gone.status, 'queue', gone.queue, 'kind', gone.kind, 'attempt', gone.attempt,
    'worker', gone.worker_id, 'losses', nullif(gone.losses, 0), 'hosts', lost_on(gone.errors)));
  effect := case when gone.status = 'DEAD' then 'blocking' else 'note' end;
  if gone.status = 'DEAD' and error ->> 'class' = 'worker lost' then
    code := 'quarantined';
    sentence := format('quarantined %s ago (%s): it lost its worker %s times, on %s', spoken(clock_timestamp() - gone.finished_at),
      spoken(gone.finished_at), gone.losses, lost_on(gone.errors));
  else
    code := case when gone.status = 'DEAD' then 'dead' else 'finished' end;
    sentence := format('%s %s ago (%s), attempt %s', gone.status, spoken(clock_timestamp() - gone.finished_at),
        spoken(gone.finished_at), gone.attempt)
      || case when gone.status = 'SUCCEEDED' then coalesce(', ' || spoken(gone.finished_at - gone.claimed_at) || ' after its claim', '')
        else coalesce(', ' || spoken(error), '') end;
  end if;
  return next;
end $$;

-- What can be said of a task that is not known.
create function explain_absence(id uuid)
returns table (code text, effect text, sentence text, since timestamptz, until timestamptz, details jsonb)
language plpgsql stable as $$
#variable_conflict use_variable
declare
  now  timestamptz := clock_timestamp();
  kept interval := greatest((select max(q.retention) from queue q), interval '7 days');
  made timestamptz;
begin
  if substr(id::text, 15, 1) = '7' then
    made := to_timestamp(('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint / 1000.0);
  end if;
  code := 'never-heard-of'; effect := 'blocking'; since := made;
  details := jsonb_strip_nulls(jsonb_build_object('made', made, 'historyKept', spoken(kept)));
  sentence := format('there is no task of this id, neither unfinished nor in history, which is kept for %s; ', spoken(kept))
    || case when made is null then 'the id does not tell when it was made: it is not of version 7'
      when made < now - kept then format('the id was made %s ago (%s), so it may have ended and been pruned', spoken(now - made), spoken(made))
      when made > now + interval '1 minute' then format('the id says that it was made in the future (%s)', spoken(made))
      else format('the id was made %s ago (%s)', spoken(now - made), spoken(made)) end;
  return next;
end $$;

-- Why a task is not running, or where it is: reasons in the order in which they matter. The effect of each is fulfilled (a
-- condition that is met), blocking, note, or unknown (not counted so far). A part is state, pauses, workers or lane, for who wants them
-- apart; null: all of them.
create function explain(id uuid, part text default null)
returns table (ordinal integer, code text, effect text, sentence text, since timestamptz, until timestamptz, details jsonb)
language plpgsql stable security definer as $$
#variable_conflict use_column
declare
  t    task;
  gone task_history;
begin
  if part not in ('state', 'pauses', 'workers', 'lane') then
    raise exception using errcode = 'invalid_parameter_value',
      message = format('part must be state, pauses, workers or lane, was %L', left(part, 40));
  end if;
  select o.* into t from task o where o.id = explain.id order by o.queue limit 1;
  if found then
    return query
      select (row_number() over (order by r.part, r.n))::integer, r.code, r.effect, r.sentence, r.since, r.until, r.details from (
        select 1 as part, s.* from explain_state(t) with ordinality s (code, effect, sentence, since, until, details, n)
        where explain.part is null or explain.part = 'state'
        union all
        select 2, s.* from explain_pauses(t) with ordinality s (code, effect, sentence, since, until, details, n)
        where t.status <> 'PROCESSING' and (explain.part is null or explain.part = 'pauses')
        union all
        select 3, s.* from explain_workers(t) with ordinality s (code, effect, sentence, since, until, details, n)
        where t.status <> 'PROCESSING' and (explain.part is null or explain.part = 'workers')
        union all
        select 4, s.* from explain_lane(t) with ordinality s (code, effect, sentence, since, until, details, n)
        where explain.part is null or explain.part = 'lane') r;
  elsif part is null or part = 'state' then
    select h.* into gone from task_history h where h.id = explain.id order by h.finished_at desc limit 1;
    if found then
      return query select 1, s.* from explain_end(gone) s;
    else
      return query select 1, s.* from explain_absence(explain.id) s;
    end if;
  end if;
end $$;

create or replace function schema_version() returns integer language sql immutable as 'select 7';

-- As for the functions before.
do $$
declare
  f record;
begin
  for f in
    select p.oid::regprocedure as name, p.prosecdef as definer from pg_proc p
    where p.pronamespace = current_schema()::regnamespace
      and p.proname ~ '^(explain.*|spoken|last_error|lost_on)$'
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

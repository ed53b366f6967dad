-- The queue for every language: functions to enqueue, to call off and to work, and views without what is private.
-- Nothing that was there is changed but who may call the two functions that keep history's partitions.
--
-- All that others call is SECURITY DEFINER and fixes its search_path at the end of this file; what it calls in turn is
-- nobody's else. Parameters have the names of columns, so each function says which of the two a bare name is. No
-- backslashes: what they mean is a setting of the caller's.

-- An id as producers make them: version 7 with microseconds, so that ids of one session rise.
create function uuid7() returns uuid language plpgsql volatile as $$
declare
  micros bigint := extract(epoch from clock_timestamp()) * 1000000;
begin
  return encode(overlay(uuid_send(gen_random_uuid())
    placing int8send((micros / 1000 << 16) | 28672 | (micros % 1000 * 4096 / 1000)) from 1 for 8), 'hex')::uuid;
end $$;

-- The row that a task will be, or 22023 with what is wrong. Whatever task's constraints refuse is refused here, since
-- their message would show the row, payload and all. A null means the default.
create function task_of(
  kind text, payload jsonb, queue text, priority integer, delay interval, run_at timestamptz, max_attempts integer,
  timeout interval, headers jsonb, unique_key text, unique_until text, on_conflict text, id uuid) returns task
language plpgsql volatile as $$
#variable_conflict use_variable
declare
  made      task;
  control   constant text := '[' || chr(1) || '-' || chr(31) || chr(127) || '-' || chr(159) || ']';
  largest   constant integer := 262144;
  now       timestamptz := statement_timestamp();
  size      integer;
  head_size integer := octet_length(headers::text);
  level     integer := coalesce(priority, 3);
  until     text := coalesce(unique_until, 'finished');
  policy    text := coalesce(on_conflict, 'keep');
  problem   text;
begin
  made.id := coalesce(id, uuid7());
  made.kind := kind;
  made.payload := coalesce(payload, '{}');
  made.queue := coalesce(queue, 'default');
  made.max_attempts := coalesce(max_attempts, 25);
  made.timeout := timeout;
  made.headers := headers;
  made.unique_key := unique_key;
  size := octet_length(made.payload::text);
  problem := case
    when coalesce(char_length(made.kind), 0) not between 1 and 128 then
      format('a kind name must have 1 to 128 characters, %L has %s', left(made.kind, 40), coalesce(char_length(made.kind), 0))
    when char_length(made.queue) not between 1 and 128 then
      format('a queue name must have 1 to 128 characters, %L has %s', left(made.queue, 40), char_length(made.queue))
    when made.kind ~ control or made.queue ~ control then
      'names of kinds and queues must not hold control characters'
    when unique_key ~ control then 'a unique key must not hold control characters'
    when level not between 1 and 4 then format('priority must be 1 (urgent) to 4 (low), was %s', level)
    when made.max_attempts < 1 then format('max_attempts must be at least 1, was %s', made.max_attempts)
    when timeout not between interval '1 millisecond' and interval '36000 days' then
      format('timeout must be between 1 ms and 36,000 days, was %s', timeout)
    when delay is not null and run_at is not null then 'both delay and run_at are given; give one'
    when delay > interval '36525 days' then format('delay must be at most 100 years, was %s', delay)
    when not isfinite(run_at) or run_at > timestamptz '9999-12-31 23:59:59Z' then
      format('run_at must lie before the year 10000, was %s', run_at)
    when size > largest then
      format('a payload of kind %L has %s bytes, at most %s are taken; keep large data elsewhere and enqueue a reference to it',
        made.kind, size, largest)
    when jsonb_typeof(headers) <> 'object' or jsonb_path_exists(headers, 'strict $.* ? (@.type() != "string")') then
      'headers must be an object of strings'
    when head_size > largest then
      format('a set of headers of kind %L has %s bytes, at most %s are taken', made.kind, head_size, largest)
    when char_length(unique_key) not between 1 and 255 then
      format('a unique key must have 1 to 255 characters, %L has %s', left(unique_key, 40), char_length(unique_key))
    when until not in ('finished', 'started') then
      format('unique_until must be finished or started, was %L', left(until, 40))
    when policy not in ('keep', 'replace', 'replace-payload', 'postpone', 'reject') then
      format('on_conflict must be keep, replace, replace-payload, postpone or reject, was %L', left(policy, 40))
  end;
  if problem is not null then
    raise exception using errcode = 'invalid_parameter_value', message = problem;
  end if;
  made.priority := level;
  made.run_at := greatest(coalesce(run_at, now + delay), now);
  made.status := case when made.run_at > now then 'SCHEDULED' else 'PENDING' end;
  -- One that may change others lets its key go when it is first claimed, so that what comes after that is not lost.
  made.unique_hold := unique_key is not null and until = 'finished' and policy in ('keep', 'reject');
  return made;
end $$;

-- The first of an object's fields, to name it. Apart from its caller, whose expressions stay such as need no plan.
create function unknown_field(item jsonb) returns text language sql immutable as $$
  select min(name) from jsonb_object_keys(item) name
$$;

-- The same from an object such as {"kind":"mail","payload":{"to":7},"delay":"5m"}.
create function task_from(item jsonb) returns task language plpgsql volatile as $$
#variable_conflict use_variable
declare
  fields  constant text[] := '{kind,payload,queue,priority,delay,runAt,maxAttempts,timeout,headers,uniqueKey,uniqueUntil,onConflict,id}';
  level   text := lower(item ->> 'priority');
  problem text;
begin
  problem := case
    when jsonb_typeof(item) <> 'object' then 'must be an object with a kind'
    when not item ? 'kind' then 'has no kind'
    when item - fields <> '{}' then
      format('has an unknown field %L; known are %s', left(unknown_field(item - fields), 40), array_to_string(fields, ', '))
    when jsonb_typeof(item -> 'kind') <> 'string' then 'kind must be a string'
    when jsonb_typeof(item -> 'queue') <> 'string' then 'queue must be a string'
    when jsonb_typeof(item -> 'delay') <> 'string' then 'delay must be a string'
    when jsonb_typeof(item -> 'runAt') <> 'string' then 'runAt must be a string'
    when jsonb_typeof(item -> 'timeout') <> 'string' then 'timeout must be a string'
    when jsonb_typeof(item -> 'uniqueKey') <> 'string' then 'uniqueKey must be a string'
    when jsonb_typeof(item -> 'uniqueUntil') <> 'string' then 'uniqueUntil must be a string'
    when jsonb_typeof(item -> 'onConflict') <> 'string' then 'onConflict must be a string'
    when jsonb_typeof(item -> 'id') <> 'string' then 'id must be a string'
    when item ->> 'maxAttempts' !~ '^-?[0-9]{1,9}$' then 'maxAttempts must be a whole number'
    when level !~ '^(urgent|high|normal|low|[1-4])$' or (level is null and item ? 'priority') then
      format('priority must be urgent, high, normal, low or 1 to 4, was %L', left(item ->> 'priority', 40))
  end;
  if problem is not null then
    raise exception using errcode = 'invalid_parameter_value', message = problem;
  end if;
  return task_of(
    item ->> 'kind', item -> 'payload', item ->> 'queue',
    case level when 'urgent' then 1 when 'high' then 2 when 'normal' then 3 when 'low' then 4 else level::integer end,
    (item ->> 'delay')::interval, (item ->> 'runAt')::timestamptz, (item ->> 'maxAttempts')::integer,
    (item ->> 'timeout')::interval, item -> 'headers', item ->> 'uniqueKey', item ->> 'uniqueUntil',
    item ->> 'onConflict', (item ->> 'id')::uuid);
end $$;

-- Whether the row went in; it does not where its id is there, or its key is held.
create function insert_task(wanted task) returns boolean language plpgsql volatile as $$
#variable_conflict use_column
begin
  insert into task (id, queue, kind, priority, status, run_at, max_attempts, timeout, payload, headers, unique_key, unique_hold)
  values (wanted.id, wanted.queue, wanted.kind, wanted.priority, wanted.status, wanted.run_at, wanted.max_attempts,
    wanted.timeout, wanted.payload, wanted.headers, wanted.unique_key, wanted.unique_hold)
  on conflict do nothing;
  return found;
end $$;

-- Inserts the task, or gives the one that waits under its key what the policy takes from it; answers whose id stands for
-- it, null where its own is there already. Only a task that was never claimed is changed, so no run is ever locked. One
-- that stays PENDING keeps its place, one that becomes PENDING goes to the end.
create function replace_task(wanted task, on_conflict text) returns uuid language plpgsql volatile as $$
#variable_conflict use_column
declare
  content boolean := on_conflict <> 'postpone';
  timing  boolean := on_conflict <> 'replace-payload';
  stands  uuid;
begin
  insert into task as t (id, queue, kind, priority, status, run_at, max_attempts, timeout, payload, headers, unique_key)
  select wanted.id, wanted.queue, wanted.kind, wanted.priority, wanted.status, wanted.run_at, wanted.max_attempts,
    wanted.timeout, wanted.payload, wanted.headers, wanted.unique_key
  where (select o.id from task o where o.id = wanted.id and o.queue = wanted.queue) is null
  on conflict (unique_key, queue) where unique_key is not null and attempt = 0 do update set
    kind = case when content then excluded.kind else t.kind end,
    payload = case when content then excluded.payload else t.payload end,
    headers = case when content then excluded.headers else t.headers end,
    run_at = case when timing then excluded.run_at else t.run_at end,
    status = case when timing and t.status <> 'BLOCKED' then excluded.status else t.status end,
    position = case when timing and t.status = 'SCHEDULED' and excluded.status = 'PENDING'
      then excluded.position else t.position end
  returning t.id into stands;
  return stands;
end $$;

-- Enqueues a task with a key: which task then stands for it, and how it came to. Under READ COMMITTED each statement
-- sees what others have committed, so whoever loses to a task finds it at the next look, or finds that it is gone.
create function enqueue_unique(wanted task, on_conflict text, out id uuid, out landing text) language plpgsql volatile as $$
#variable_conflict use_column
begin
  if on_conflict not in ('keep', 'reject') then
    id := replace_task(wanted, on_conflict);
    landing := case when id is null then 'ALREADY_THERE' when id = wanted.id then 'INSERTED'
      when on_conflict = 'postpone' then 'POSTPONED' else 'REPLACED' end;
    id := coalesce(id, wanted.id);
    return;
  end if;
  for turn in 1..100 loop
    if insert_task(wanted) then
      id := wanted.id; landing := 'INSERTED';
      return;
    end if;

    select o.id into id from (
      select t.id, 0 as rank from task t where t.id = wanted.id and t.queue = wanted.queue
      union all
      select t.id, 1 from task t
      where t.unique_key = wanted.unique_key and t.queue = wanted.queue and t.attempt = 0
      union all
      select t.id, 2 from task t
      where t.unique_key = wanted.unique_key and t.queue = wanted.queue and t.unique_hold) o
    order by o.rank limit 1;
    continue when not found;                           -- it ended meanwhile

    landing := case when id = wanted.id then 'ALREADY_THERE' when on_conflict = 'reject' then 'REJECTED' else 'KEPT' end;
    return;
  end loop;
  raise exception using errcode = 'serialization_failure',
    message = format('unique key %L of queue %L changed hands too often; enqueue again', wanted.unique_key, wanted.queue);
end $$;

-- Enqueues one task in the caller's transaction and answers its id, or with a unique key the id of the task that stands
-- for the key. A task whose id is there already is left as it is.
create function enqueue(
  kind text, payload jsonb default '{}', queue text default 'default', priority integer default 3,
  delay interval default null, run_at timestamptz default null, max_attempts integer default 25,
  timeout interval default null, headers jsonb default null, unique_key text default null,
  unique_until text default 'finished', on_conflict text default 'keep', id uuid default null) returns uuid
language plpgsql volatile security definer as $$
#variable_conflict use_variable
declare
  wanted task := task_of(kind, payload, queue, priority, delay, run_at, max_attempts, timeout, headers, unique_key,
    unique_until, on_conflict, id);
  landed record;
begin
  if wanted.unique_key is null then
    if insert_task(wanted) then perform pg_notify(current_schema(), wanted.queue); end if;
    return wanted.id;
  end if;
  landed := enqueue_unique(wanted, coalesce(on_conflict, 'keep'));
  if landed.landing = 'REJECTED' then
    raise exception using errcode = 'unique_violation',
      message = format('queue %L has a task with the unique key %L already', wanted.queue, wanted.unique_key),
      detail = format('It is task %s.', landed.id),
      hint = 'on_conflict => ''keep'' takes that one, ''replace'' changes it while it waits.';
  end if;
  if landed.landing not in ('ALREADY_THERE', 'KEPT') then perform pg_notify(current_schema(), wanted.queue); end if;
  return landed.id;
end $$;

-- Enqueues an array of objects, all of them or, where one is wrong, none; answers for each, by its place from 1, the id
-- of the task that stands for it and how it landed: INSERTED, ALREADY_THERE, and with a unique key KEPT, REPLACED,
-- POSTPONED, REJECTED. Tasks without a key are one statement, keys are taken in order: two batches never
-- wait for each other crosswise.
create function enqueue_many(tasks jsonb) returns table (ordinal integer, id uuid, landing text)
language plpgsql volatile security definer as $$
#variable_conflict use_column
declare
  made     task[] := '{}';
  landings text[];
  landed   record;
  item     jsonb;
  n        integer := 0;
begin
  if jsonb_typeof(tasks) is distinct from 'array' then
    raise exception using errcode = 'invalid_parameter_value', message = 'tasks must be an array of objects';
  end if;
  begin
    for item in select e.value from jsonb_array_elements(tasks) e loop
      n := n + 1;
      made := array_append(made, task_from(item));
    end loop;
  exception when data_exception then
    raise exception using errcode = 'invalid_parameter_value', message = format('task %s: %s', n, sqlerrm);
  end;

  with inserted as (
    insert into task (id, queue, kind, priority, status, run_at, max_attempts, timeout, payload, headers)
    select m.id, m.queue, m.kind, m.priority, m.status, m.run_at, m.max_attempts, m.timeout, m.payload, m.headers
    from unnest(made) m where m.unique_key is null order by m.id
    on conflict (id, queue) do nothing returning id, queue)
  select array_agg(l.landing order by l.ordinality) into landings from (
    select m.ordinality, case
      when i.id is not null and row_number() over (partition by m.unique_key, m.id, m.queue order by m.ordinality) = 1
      then 'INSERTED' else 'ALREADY_THERE' end as landing
    from unnest(made) with ordinality m left join inserted i on i.id = m.id and i.queue = m.queue) l;

  for n in
    select m.ordinality from unnest(made) with ordinality m where m.unique_key is not null
    order by m.queue, m.unique_key, m.ordinality
  loop
    landed := enqueue_unique(made[n], coalesce(tasks -> n - 1 ->> 'onConflict', 'keep'));
    made[n].id := landed.id;
    landings[n] := landed.landing;
  end loop;

  perform pg_notify(current_schema(), q.queue) from (
    select distinct m.queue from unnest(made) with ordinality m
    where landings[m.ordinality::integer] in ('INSERTED', 'REPLACED', 'POSTPONED')) q;
  return query
    select m.ordinality::integer, m.id, landings[m.ordinality::integer]
    from unnest(made) with ordinality m order by m.ordinality;
end $$;

-- The errors of a task with one more, the oldest of more than ten dropped.
create function errors_and(errors jsonb, attempt integer, error jsonb) returns jsonb language sql stable as $$
  select case when error is null then errors else
    case when jsonb_array_length(errors) >= 10 then errors - 0 else coalesce(errors, '[]') end
    || (error || jsonb_build_object('at', statement_timestamp(), 'attempt', attempt)) end
$$;

-- Keeps a task that was taken out of task, unless its queue keeps nothing.
create function archive(gone task, ending task_status, errors jsonb) returns void language plpgsql volatile as $$
#variable_conflict use_column
begin
  insert into task_history (id, created_at, run_at, claimed_at, lease, worker_id, status, priority, attempt, failures, losses,
    max_attempts, queue, kind, payload, headers, unique_key, errors)
  select gone.id, gone.created_at, gone.run_at, gone.claimed_at, gone.lease, gone.worker_id, ending, gone.priority,
    gone.attempt, gone.failures, gone.losses, gone.max_attempts, gone.queue, gone.kind, gone.payload, gone.headers,
    gone.unique_key, archive.errors
  where not exists (select from queue q where q.name = gone.queue and q.retention = interval '0');
end $$;

-- Archives a task that was cancelled, and tells its worker if it ran. History keeps no lease of it: none ended it.
create function archive_cancelled(gone task, reason text) returns void language plpgsql volatile as $$
declare
  lease uuid := gone.lease;
begin
  gone.lease := null;
  perform archive(gone, 'CANCELLED', errors_and(gone.errors, gone.attempt,
    jsonb_build_object('class', 'cancelled', 'message', left(coalesce(reason, ''), 8192))));
  if lease is not null then
    perform pg_notify(current_schema(), chr(1) || 'cancelled ' || gone.id || ' ' || lease);
  end if;
end $$;

-- Calls a task off, whether it waits or runs, and answers the status it had: a final one, and nothing was changed; null,
-- and there is none of this id, or none any more.
create function cancel(id uuid, reason text default '') returns text
language plpgsql volatile security definer as $$
#variable_conflict use_column
declare
  gone task;
  was  text;
begin
  for gone in delete from task t where t.id = cancel.id returning t.* loop
    was := gone.status;
    perform archive_cancelled(gone, reason);
  end loop;
  if was is null then
    select h.status into was from task_history h where h.id = cancel.id order by h.finished_at desc limit 1;
  end if;
  return was;
end $$;

-- Calls off whatever stands for a unique key, be it waiting or running; answers how many tasks that were.
create function cancel_unique(queue text, unique_key text, reason text default '') returns integer
language plpgsql volatile security definer as $$
#variable_conflict use_column
declare
  gone  task;
  count integer := 0;
begin
  for gone in
    delete from task t where t.unique_key = cancel_unique.unique_key and t.queue = cancel_unique.queue and t.attempt = 0
    returning t.*
  loop
    count := count + 1;
    perform archive_cancelled(gone, reason);
  end loop;
  for gone in
    delete from task t where t.unique_key = cancel_unique.unique_key and t.queue = cancel_unique.queue and t.unique_hold
    returning t.*
  loop
    count := count + 1;
    perform archive_cancelled(gone, reason);
  end loop;
  return count;
end $$;

-- Announces a worker that starts now and answers its id. Whatever it claims is its own for 15 s from its last beat.
create function register(
  host text, pid bigint, queues text[], kinds text[], concurrency integer default 1, version text default '') returns uuid
language plpgsql volatile security definer as $$
#variable_conflict use_variable
declare
  worker uuid := gen_random_uuid();
begin
  if coalesce(host, '') = '' or pid is null or coalesce(concurrency, 0) < 1 or coalesce(cardinality(queues), 0) = 0
    or coalesce(cardinality(kinds), 0) = 0 or array_position(queues, null) is not null or array_position(kinds, null) is not null
  then
    raise exception using errcode = 'invalid_parameter_value',
      message = 'a worker must name its host, pid, queues and kinds, and a concurrency of at least 1';
  end if;
  insert into worker (id, host, pid, version, queues, kinds, concurrency, lease_until)
  values (worker, left(host, 255), pid, left(coalesce(version, ''), 128), queues, kinds, concurrency,
    clock_timestamp() + interval '15 seconds');
  return worker;
end $$;

-- Renews the lease; false: the worker was declared dead, others have its tasks, it must stop them and register anew.
create function heartbeat(worker uuid) returns boolean language plpgsql volatile security definer as $$
#variable_conflict use_column
begin
  update worker w set beat = w.beat + 1, lease_until = clock_timestamp() + interval '15 seconds'
  where w.id = heartbeat.worker and w.status <> 'DEAD';
  return found;
end $$;

-- Claims at most max ready tasks, the urgent first, and answers them with the lease that finish wants to see. Rows that
-- others have locked are skipped. Queues are served in an order of chance, and now and then a lower priority first.
create function claim(worker uuid, queues text[], kinds text[], max integer)
returns table (
  id uuid, lease uuid, queue text, kind text, payload jsonb, headers jsonb, attempt integer, failures integer,
  losses integer, max_attempts integer, timeout interval)
language plpgsql volatile security definer as $$
#variable_conflict use_column
declare
  granted constant uuid := gen_random_uuid();
  levels  smallint[] := '{1,2,3,4}';
  first   smallint := 2 + floor(3 * random());
begin
  if coalesce(claim.max, 0) not between 1 and 10000 then
    raise exception using errcode = 'invalid_parameter_value', message = format('max must be 1 to 10000, was %s', claim.max);
  end if;
  if not exists (select from worker w where w.id = claim.worker and w.status <> 'DEAD') then
    raise exception using errcode = 'object_not_in_prerequisite_state',
      message = format('worker %s is not registered, or was declared dead; register anew', claim.worker);
  end if;
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
        where t.queue = l.name and t.status = 'PENDING' and t.priority = l.level and t.kind = any (claim.kinds)
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

-- Writes what came of a run: succeeded, dead, cancelled; retry (after delay, else after failures to the fourth power in
-- seconds), snooze (for delay, no failure), released (at once, or after delay). False: the lease was lost, and nothing
-- was written. An error is an object with class, message and stack, or a text.
create function finish(id uuid, lease uuid, outcome text, delay interval default null, error jsonb default null) returns boolean
language plpgsql volatile security definer as $$
#variable_conflict use_column
declare
  held    task;
  ending  task_status;
  kept    jsonb;
  said    text := left(case jsonb_typeof(error) when 'object' then error ->> 'message' else error #>> '{}' end, 8192);
  name    text;
  wait    interval;
  written boolean := false;
begin
  name := case outcome when 'retry' then 'failed' when 'dead' then 'dead' when 'cancelled' then 'cancelled' end;
  if outcome is null or outcome not in ('succeeded', 'retry', 'snooze', 'dead', 'cancelled', 'released') then
    raise exception using errcode = 'invalid_parameter_value',
      message = format('outcome must be succeeded, retry, snooze, dead, cancelled or released, was %L', left(outcome, 40));
  elsif delay > interval '36525 days' then
    raise exception using errcode = 'invalid_parameter_value', message = format('delay must be at most 100 years, was %s', delay);
  elsif (delay is null and outcome = 'snooze') or (delay is not null and outcome in ('succeeded', 'dead', 'cancelled')) then
    raise exception using errcode = 'invalid_parameter_value',
      message = 'delay goes with snooze, which needs it, and with retry and released';
  end if;
  select t.* into held from task t where t.id = finish.id and t.lease = finish.lease;
  if not found then return false; end if;

  if name is not null then
    name := left(coalesce(error ->> 'class', name), 255);
    kept := jsonb_strip_nulls(jsonb_build_object('class', name, 'message', coalesce(said, ''),
      'group', to_hex(hashtext(name || regexp_replace(coalesce(said, ''), '[0-9]+', '#', 'g'))), 'stack', left(error ->> 'stack', 8192)));
  end if;
  ending := case outcome when 'succeeded' then 'SUCCEEDED' when 'dead' then 'DEAD' when 'cancelled' then 'CANCELLED'
    when 'retry' then case when held.failures + 1 >= held.max_attempts then 'DEAD' end end;
  if ending is not null then
    for held in delete from task t where t.id = finish.id and t.lease = finish.lease returning t.* loop
      written := true;
      perform archive(held, ending, errors_and(held.errors, held.attempt, kept));
    end loop;
    return written;
  end if;

  wait := greatest(coalesce(delay, case outcome
    when 'retry' then least(power(held.failures + 1, 4), 86400) * (0.9 + 0.2 * random()) * interval '1 second' end), interval '0');
  update task t set
    status = case when wait > interval '0' then 'SCHEDULED' else 'PENDING' end::task_status,
    run_at = statement_timestamp() + wait,
    position = case when wait > interval '0' then t.position else nextval('task_position') end,
    failures = t.failures + case outcome when 'retry' then 1 else 0 end,
    errors = errors_and(t.errors, t.attempt, kept),
    lease = null, worker_id = null
  where t.id = finish.id and t.lease = finish.lease;
  written := found;
  if written then perform pg_notify(current_schema(), held.queue); end if;
  return written;
end $$;

-- Takes a worker that stops off the list and gives back what it still holds; no attempt is used up. False: it was not on
-- the list.
create function deregister(worker uuid) returns boolean language plpgsql volatile security definer as $$
#variable_conflict use_column
declare
  given_back text[];
begin
  with held as materialized (
    select t.id from task t where t.status = 'PROCESSING' and t.worker_id = deregister.worker order by t.id for no key update),
  back as (
    update task t set status = 'PENDING', run_at = statement_timestamp(), position = nextval('task_position'),
      lease = null, worker_id = null
    where t.id = any (array(select h.id from held h)) and t.worker_id = deregister.worker
    returning t.queue)
  select array_agg(distinct b.queue) into given_back from back b;
  perform pg_notify(current_schema(), name) from unnest(given_back) name;
  delete from worker w where w.id = deregister.worker;
  return found;
end $$;

-- What may be shown to whoever looks: no payload, no headers, no error's text, and no lease, which is the right to write.
create view task_public with (security_barrier) as
select id, queue, kind, priority, status, position, created_at, run_at, claimed_at, worker_id, attempt, failures, losses,
  max_attempts, timeout, unique_key, unique_hold, coalesce(jsonb_array_length(errors), 0) as errors,
  errors -> -1 ->> 'class' as last_error
from task;

create view task_history_public with (security_barrier) as
select id, queue, kind, priority, status, created_at, run_at, claimed_at, finished_at, worker_id, attempt, failures, losses,
  max_attempts, unique_key, coalesce(jsonb_array_length(errors), 0) as errors, errors -> -1 ->> 'class' as last_error
from task_history;

create view worker_public with (security_barrier) as
select id, host, pid, version, queues, kinds, concurrency, status, started_at, beat, lease_until from worker;

-- Whoever may call these need not own what they keep.
alter function create_history_partitions(integer) security definer;
alter function prune_history() security definer;

create or replace function schema_version() returns integer language sql immutable as 'select 4';

-- Nobody may call anything but what tells the version, until he is granted it. Temporary objects come last in the path,
-- where they would come first unsaid: else a caller's temporary table called task would be taken for ours. What walks
-- task is planned as the engine's connections plan it: by index, once.
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
    continue when f.short in ('create_history_partitions', 'prune_history', 'register', 'heartbeat');
    execute format('alter function %s set enable_seqscan = off', f.name);
    execute format('alter function %s set enable_bitmapscan = off', f.name);
    execute format('alter function %s set jit = off', f.name);
    execute format('alter function %s set plan_cache_mode = force_generic_plan', f.name);
  end loop;
end $$;

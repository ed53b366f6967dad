-- The Java producer for users who may insert into no table: what it would send to tables it sends to enqueue_rows, with the
-- same answers. enqueue_many is made of the same parts now: its tasks without a key were compared each with each.

-- Enqueues a task whose key outlives it, as enqueue_unique does; what was inserted stays only if no window of its key is
-- open. Nobody has seen it till then.
create function enqueue_windowed(wanted task, on_conflict text, length interval, out id uuid, out landing text)
language plpgsql volatile as $$
#variable_conflict use_column
declare
  landed record;
begin
  for turn in 1..100 loop
    landed := enqueue_unique(wanted, on_conflict);
    id := landed.id; landing := landed.landing;
    if landing <> 'INSERTED' then return; end if;

    insert into unique_window as w (queue, unique_key, until, task_id)
    values (wanted.queue, wanted.unique_key, clock_timestamp() + length, wanted.id)
    on conflict (queue, unique_key) do update set until = excluded.until, task_id = excluded.task_id
    where w.until <= clock_timestamp();
    if found then return; end if;

    delete from task t where t.id = wanted.id and t.queue = wanted.queue;
    select w.task_id into id from unique_window w where w.queue = wanted.queue and w.unique_key = wanted.unique_key;
    continue when not found;                            -- it was over and forgotten meanwhile
    landing := case when id = wanted.id then 'ALREADY_THERE' when on_conflict = 'reject' then 'REJECTED' else 'KEPT' end;
    return;
  end loop;
  raise exception using errcode = 'serialization_failure',
    message = format('unique key %L of queue %L changed hands too often; enqueue again', wanted.unique_key, wanted.queue);
end $$;

-- Who is there instead of a task that was not inserted: itself, else the one that waits under its key, else the one that holds
-- it; null: nobody any more.
create function stands_for(wanted task) returns uuid language sql stable as $$
  select coalesce(
    (select t.id from task t where t.id = wanted.id and t.queue = wanted.queue limit 1),
    (select t.id from task t where t.unique_key = wanted.unique_key and t.queue = wanted.queue and t.attempt = 0 limit 1),
    (select t.id from task t where t.unique_key = wanted.unique_key and t.queue = wanted.queue and t.unique_hold limit 1))
$$;

-- Puts tasks in that were made by task_of; answers for each, by its place, which task stands for it and how it landed. Those
-- without a key are one statement, in the order of their ids; so are those with one, in the order in which the Java producer
-- takes keys whatever the database's collation, if none may change others or opens a window. Else keys are settled one by
-- one. So two batches never wait for each other crosswise.
create function land_tasks(made task[], policies text[], windows bigint[], out stands uuid[], out landings text[])
language plpgsql volatile as $$
#variable_conflict use_column
declare
  inserted_ids    uuid[];
  inserted_queues text[];
  next            integer := 1;
  n               integer;
  wanted          task;
  landed          record;
  alike           boolean;
begin
  stands := array_fill(null::uuid, array[cardinality(made)]);
  landings := array_fill(null::text, array[cardinality(made)]);
  with inserted as (
    insert into task (id, queue, kind, priority, status, run_at, max_attempts, timeout, payload, headers)
    select m.id, m.queue, m.kind, m.priority, m.status, m.run_at, m.max_attempts, m.timeout, m.payload, m.headers
    from unnest(made) m where m.unique_key is null order by m.id, m.queue
    on conflict (id, queue) do nothing returning id, queue)
  select array_agg(i.id), array_agg(i.queue) into inserted_ids, inserted_queues from inserted i;

  -- They come back in the order they went in, so one walk tells who is missing.
  for n in
    select m.ordinality from unnest(made) with ordinality m where m.unique_key is null order by m.id, m.queue, m.ordinality
  loop
    wanted := made[n];
    stands[n] := wanted.id;
    if wanted.id = inserted_ids[next] and wanted.queue = inserted_queues[next] then
      landings[n] := 'INSERTED';
      next := next + 1;
    else
      landings[n] := 'ALREADY_THERE';
    end if;
  end loop;

  select bool_and(windows[m.ordinality] is null and coalesce(policies[m.ordinality], 'keep') in ('keep', 'reject')) into alike
  from unnest(made) with ordinality m where m.unique_key is not null;
  if alike is null then return; end if;

  if alike then
    begin
      with inserted as (
        insert into task (id, queue, kind, priority, status, run_at, max_attempts, timeout, payload, headers, unique_key, unique_hold)
        select m.id, m.queue, m.kind, m.priority, m.status, m.run_at, m.max_attempts, m.timeout, m.payload, m.headers,
          m.unique_key, m.unique_hold
        from unnest(made) with ordinality m where m.unique_key is not null
        order by m.queue collate "C", m.unique_key collate "C", m.ordinality
        on conflict do nothing returning id, queue)
      select array_agg(i.id), array_agg(i.queue) into inserted_ids, inserted_queues from inserted i;
      next := 1;
      for n in
        select m.ordinality from unnest(made) with ordinality m where m.unique_key is not null
        order by m.queue collate "C", m.unique_key collate "C", m.ordinality
      loop
        wanted := made[n];
        if wanted.id = inserted_ids[next] and wanted.queue = inserted_queues[next] then
          stands[n] := wanted.id;
          landings[n] := 'INSERTED';
          next := next + 1;
        else
          stands[n] := stands_for(wanted);
          -- Its key changed hands. To take it now, with the keys behind it in hand, would be crosswise.
          if stands[n] is null then raise serialization_failure; end if;
          landings[n] := case when stands[n] = wanted.id then 'ALREADY_THERE'
            when policies[n] = 'reject' then 'REJECTED' else 'KEPT' end;
        end if;
      end loop;
      return;
    exception when serialization_failure then
      null;                                             -- all let go; one by one then
    end;
  end if;

  for n in
    select m.ordinality from unnest(made) with ordinality m where m.unique_key is not null
    order by m.queue collate "C", m.unique_key collate "C", m.ordinality
  loop
    wanted := made[n];
    if windows[n] is null then
      landed := enqueue_unique(wanted, coalesce(policies[n], 'keep'));
    else
      landed := enqueue_windowed(wanted, coalesce(policies[n], 'keep'), windows[n] * interval '1 microsecond');
    end if;
    stands[n] := landed.id;
    landings[n] := landed.landing;
  end loop;
end $$;

-- Enqueues tasks, all of them or, where one is wrong, none, and rings no bell: the caller does, when he has committed.
-- Durations are microseconds, payloads and headers JSON; a null means the default. With again the same tasks may have been
-- enqueued before by a call whose answer was lost: one that has ended since is not enqueued again.
create function enqueue_rows(
  ids uuid[], queues text[], kinds text[], priorities smallint[], max_attempts integer[], payloads text[], headers text[],
  delays bigint[], run_ats timestamptz[], timeouts bigint[], unique_keys text[], unique_untils text[], windows bigint[],
  on_conflicts text[], again boolean)
returns table (id uuid, stands uuid, landing text) language plpgsql volatile security definer as $$
#variable_conflict use_column
declare
  largest constant integer := 262144;
  micro   constant interval := interval '1 microsecond';
  parsed  jsonb[];
  labels  jsonb[];
  given   record;
  wanted  task;
  made    task[] := '{}';
  landed  record;
  ended   uuid[];
begin
  for given in
    select p.kind, octet_length(p.payload) as size from unnest(kinds, payloads) p (kind, payload)
    where octet_length(p.payload) > largest limit 1
  loop
    raise exception using errcode = 'invalid_parameter_value', message =
      format('a payload of kind %L has %s bytes, at most %s are taken; keep large data elsewhere and enqueue a reference to it',
        left(given.kind, 40), given.size, largest);
  end loop;
  begin
    parsed := payloads::jsonb[];
    labels := headers::jsonb[];
  exception when data_exception then                    -- whose message would show them
    raise exception using errcode = sqlstate, message = 'payloads and headers must be JSON that jsonb can keep';
  end;

  for given in
    select * from unnest(ids, queues, kinds, priorities, max_attempts, parsed, labels, delays, run_ats, timeouts, unique_keys,
      unique_untils, windows, on_conflicts) n (id, queue, kind, priority, max_attempts, payload, headers, delay, run_at, timeout,
      unique_key, unique_until, length, on_conflict)
  loop
    if given.length not between 1000 and 316224000000000
      or (given.length is not null and given.on_conflict not in ('keep', 'reject'))
    then
      raise exception using errcode = 'invalid_parameter_value', message = format(
        'the window of a unique key must last 1 ms to 3,660 days and goes with keep or reject, was %s microseconds and %L',
        given.length, left(given.on_conflict, 40));
    end if;
    wanted := task_of(given.kind, null, given.queue, given.priority, case when given.run_at is null then given.delay * micro end,
      given.run_at, given.max_attempts, given.timeout * micro, given.headers, given.unique_key, given.unique_until,
      given.on_conflict, given.id);
    wanted.payload := coalesce(given.payload, wanted.payload);
    made := array_append(made, wanted);
  end loop;
  landed := land_tasks(made, on_conflicts, windows);

  if again then
    -- Only what was inserted just now, which nobody else has seen.
    with back as (
      delete from task t using unnest(made) with ordinality m
      where landed.landings[m.ordinality] = 'INSERTED' and t.id = m.id and t.queue = m.queue
        and exists (select from task_history h where h.id = t.id)
      returning t.id)
    select array_agg(b.id) into ended from back b;
  end if;
  return query
    select coalesce(n.id, n.stands), n.stands,
      case when n.landing = 'INSERTED' and n.stands = any (ended) then 'ALREADY_THERE' else n.landing end
    from unnest(ids, landed.stands, landed.landings) n (id, stands, landing);
end $$;

-- Enqueues an array of objects, all of them or, where one is wrong, none; answers for each, by its place from 1, the id
-- of the task that stands for it and how it landed: INSERTED, ALREADY_THERE, and with a unique key KEPT, REPLACED,
-- POSTPONED, REJECTED.
create or replace function enqueue_many(tasks jsonb) returns table (ordinal integer, id uuid, landing text)
language plpgsql volatile security definer as $$
#variable_conflict use_column
declare
  made     task[] := '{}';
  policies text[] := '{}';
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
      policies := array_append(policies, item ->> 'onConflict');
    end loop;
  exception when data_exception then
    raise exception using errcode = 'invalid_parameter_value', message = format('task %s: %s', n, sqlerrm);
  end;
  landed := land_tasks(made, policies, null);

  perform pg_notify(current_schema(), q.queue) from (
    select distinct m.queue from unnest(made) with ordinality m
    where landed.landings[m.ordinality] in ('INSERTED', 'REPLACED', 'POSTPONED')) q;
  return query
    select n.ordinal::integer, n.id, n.landing
    from unnest(landed.stands, landed.landings) with ordinality n (id, landing, ordinal) order by n.ordinal;
end $$;

create or replace function schema_version() returns integer language sql immutable as 'select 8';

-- As all functions that others call: nobody's until he is granted it, temporary objects last in the path, planned by index
-- and once.
do $$
declare
  f record;
begin
  revoke all on function enqueue_windowed(task, text, interval), stands_for(task), land_tasks(task[], text[], bigint[]) from public;
  for f in
    select p.oid::regprocedure as name from pg_proc p
    where p.pronamespace = current_schema()::regnamespace and p.proname in ('enqueue_rows', 'enqueue_many')
  loop
    execute format('revoke all on function %s from public', f.name);
    execute format('alter function %s set search_path = %I, pg_temp', f.name, current_schema());
    execute format('alter function %s set enable_seqscan = off', f.name);
    execute format('alter function %s set enable_bitmapscan = off', f.name);
    execute format('alter function %s set jit = off', f.name);
    execute format('alter function %s set plan_cache_mode = force_generic_plan', f.name);
  end loop;
end $$;

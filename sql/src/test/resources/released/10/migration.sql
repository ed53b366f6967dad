-- What was found by reading: an id that named tasks of two queues, a prune that looked at the same rows for ever, a
-- bulk over many queues that could not be counted, a payload that was shown and the audit rolled back, a new partition
-- that waited with all of history behind it. Builds of version 9 may go on beside this, but for showing payloads, which
-- they cannot any more.

-- Refuses ids that name a task of another queue, or of two here: who claims, ends or cancels a task names it by its id, which
-- a fan-out of one event into two queues must not give twice. What others insert at this moment nobody can see.
create function check_ids(made task[]) returns void language plpgsql volatile as $$
#variable_conflict use_column
declare
  clash record;
begin
  select m.id, m.queue, o.queue as other into clash
  from unnest(made) m
  cross join lateral (select t.queue from task t where t.id = m.id and t.queue <> m.queue limit 1) o limit 1;
  if found then
    raise exception using errcode = 'invalid_parameter_value', message = format(
      'id %s names a task of queue %L already, so none of queue %L can have it; give each an id of its own',
      clash.id, clash.other, clash.queue);
  end if;
  if cardinality(made) > 1 then
    select m.id, min(m.queue) as one, max(m.queue) as other into clash
    from unnest(made) m group by m.id having min(m.queue) <> max(m.queue) limit 1;
    if found then
      raise exception using errcode = 'invalid_parameter_value', message = format(
        'id %s is given to tasks of the queues %L and %L; give each an id of its own', clash.id, clash.one, clash.other);
    end if;
  end if;
end $$;

-- What lands tasks whose ids are known to be good stays as it was; who does not know goes by land_tasks as before.
alter function land_tasks(task[], text[], bigint[]) rename to land_checked_tasks;

create function land_tasks(made task[], policies text[], windows bigint[], out stands uuid[], out landings text[])
language plpgsql volatile as $$
begin
  perform check_ids(made);
  select l.stands, l.landings into stands, landings from land_checked_tasks(made, policies, windows) l;
end $$;

-- Enqueues one task in the caller's transaction and answers its id, or with a unique key the id of the task that stands
-- for the key. A task whose id is there already is left as it is; in another queue it is refused.
create or replace function enqueue(
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
  if id is not null then perform check_ids(array[wanted]); end if;
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
-- POSTPONED, REJECTED.
create or replace function enqueue_many(tasks jsonb) returns table (ordinal integer, id uuid, landing text)
language plpgsql volatile security definer as $$
#variable_conflict use_column
declare
  made     task[] := '{}';
  policies text[] := '{}';
  given    boolean := false;
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
      given := given or item ? 'id';
    end loop;
  exception when data_exception then
    raise exception using errcode = 'invalid_parameter_value', message = format('task %s: %s', n, sqlerrm);
  end;
  if given then perform check_ids(made); end if;
  landed := land_checked_tasks(made, policies, null);

  perform pg_notify(current_schema(), q.queue) from (
    select distinct m.queue from unnest(made) with ordinality m
    where landed.landings[m.ordinality] in ('INSERTED', 'REPLACED', 'POSTPONED')) q;
  return query
    select n.ordinal::integer, n.id, n.landing
    from unnest(landed.stands, landed.landings) with ordinality n (id, landing, ordinal) order by n.ordinal;
end $$;

-- Deletes what a queue's own retention has passed while others keep the partition; looks at most rows and answers whether
-- there is more to look at. Walks each queue in the order of time from where it ended before, up to what is surely committed,
-- so no row is looked at twice; whoever is furthest behind goes first, so none waits for the others for ever. Queues without
-- a row are walked only while another one keeps its tasks longer than they do.
create or replace function prune_history_rows(most integer default 5000) returns boolean language plpgsql security definer as $$
declare
  longest interval := longest_retention();
  settled constant timestamptz := clock_timestamp() - interval '10 minutes'; -- what ended later may not be committed yet
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
    select n.queue, o.status, least(settled, clock_timestamp() - retention_of(q, o.status)) as horizon,
      coalesce(p.until, '-infinity') as since
    from walked n cross join unnest('{SUCCEEDED,DEAD,CANCELLED}'::task_status[]) o (status)
    left join queue q on q.name = n.queue
    left join history_pruned p on p.queue = n.queue and p.status = o.status
    where retention_of(q, o.status) < longest           -- the others go with their partition
    order by since, n.queue, o.status
  loop
    continue when mark.since >= mark.horizon;
    select count(*), max(w.finished_at) into looked, upto from (
      select h.finished_at from task_history h
      where h.queue = mark.queue and h.finished_at > mark.since and h.finished_at < mark.horizon
      order by h.finished_at limit most) w;
    continue when looked = 0;
    delete from task_history h
    where h.queue = mark.queue and h.finished_at > mark.since and h.finished_at <= upto and h.status = mark.status;
    insert into history_pruned as p (queue, status, until) values (mark.queue, mark.status, upto)
    on conflict (queue, status) do update set until = excluded.until;
    most := most - looked;
    if most <= 0 then return true; end if;
  end loop;
  return false;
end $$;

-- Goes on behind cursor until most tasks are found, look rows were looked at, or nothing is left. Answers them and where
-- it stands. The more rows it has looked at in vain, the more it looks at next.
create or replace function walk_bulk(
  filter jsonb, frozen jsonb, cursor jsonb, most integer, look integer,
  out ids uuid[], out ends timestamptz[], out stands jsonb, out looked integer, out is_over boolean)
language plpgsql volatile as $$
#variable_conflict use_variable
declare
  walk    constant text := bulk_walk(filter);
  queues  text[] := array(select q #>> '{}' from jsonb_array_elements(frozen -> 'queues') q);
  nth     integer := coalesce((cursor ->> 'queue')::integer, 1);
  span    integer := most;
  room    integer;
  got     record;
begin
  ids := '{}'; ends := '{}'; stands := cursor; looked := 0; is_over := false;
  if queues = '{}' then queues := array[null]; end if;
  while cardinality(ids) < most and looked < look loop
    room := least(span, look - looked);
    execute format('with looked as materialized (select w.*, row_number() over () as n from (%s) w),
        chosen as materialized (select l.id, l.finished_at, l.n from looked l where l.matches order by l.n limit $7),
        stop as materialized (select case when count(*) = $7 then max(c.n) else (select max(l.n) from looked l) end as n from chosen c)
      select coalesce(array_agg(c.id order by c.n), ''{}'') as ids, coalesce(array_agg(c.finished_at order by c.n), ''{}'') as ends,
        coalesce((select s.n from stop s), 0)::integer as passed, (select count(*) from looked l)::integer as rows,
        (select l.first from looked l where l.n = (select s.n from stop s)) as first,
        (select l.second from looked l where l.n = (select s.n from stop s)) as second
      from chosen c', walk)
    into got using filter, queues[nth], stands ->> 'first', stands ->> 'second', frozen, room, most - cardinality(ids);
    ids := ids || got.ids;
    ends := ends || got.ends;
    looked := looked + got.passed;
    if got.passed > 0 then
      stands := jsonb_build_object('queue', nth, 'first', got.first, 'second', got.second);
    end if;
    if got.rows < room and got.passed = got.rows then
      nth := nth + 1;
      is_over := nth > cardinality(queues);
      exit when is_over;
      stands := jsonb_build_object('queue', nth);
      look := look - 1;                                 -- empty queues cost a look, too
    end if;
    span := least(span::bigint * 2, 100000)::integer;   -- it grows with every queue, too
  end loop;
end $$;

-- Whether a row that is seen was committed: not written by the transaction that looks, nor by a savepoint of it. One so old
-- that nobody knows any more was. As unwritten_since, it takes a row for no older than two thousand million transactions.
create function is_committed(writer xid) returns boolean language sql volatile as $$
  select coalesce(pg_xact_status((pg_snapshot_xmax(pg_current_snapshot())::text::bigint + 16777216
    - ((pg_snapshot_xmax(pg_current_snapshot())::text::bigint + 16777216 - writer::text::bigint) & 4294967295))::text::xid8)
    = 'committed', true)
$$;

-- What a task carries, which nobody sees unseen: who asks is written to the audit first, and answered null; once that is
-- committed, so that nobody can take it back, the same request of the same one is answered. Null then: there is none of this id.
create or replace function reveal_task(
  id uuid, request uuid default gen_random_uuid(), actor text default session_user, source text default 'sql',
  why text default '') returns text
language plpgsql volatile security definer as $$
#variable_conflict use_column
declare
  first audit;
  there boolean;
  shown text;
begin
  perform check_request(request, actor, source, why);
  first := asked_before(request, 'payload.reveal', reveal_task.id::text);
  if first.id is null then
    there := exists (select from task t where t.id = reveal_task.id) or exists (select from ended_task(reveal_task.id));
    insert into audit (id, actor, source, action, target, why, result)
    values (request, actor, source, 'payload.reveal', reveal_task.id::text, why, case when there then 'done' else 'missing' end)
    on conflict do nothing;
    first := asked_before(request, 'payload.reveal', reveal_task.id::text);
  end if;
  if first.actor <> actor or first.login <> session_user then
    raise exception using errcode = 'invalid_parameter_value',
      message = format('request %s was made by %s; ask under an id of your own', request, first.actor);
  end if;
  if first.result = 'missing' then return null; end if;
  if not (select is_committed(a.xmin) from audit a where a.id = request) then
    raise notice 'nothing is shown yet; commit, and ask again with request => ''%''', request;
    return null;
  end if;
  select t.payload::text into shown from task t where t.id = reveal_task.id limit 1;
  if not found then select e.payload::text into shown from ended_task(reveal_task.id) e; end if;
  return shown;
end $$;

-- Creates the history partitions from today to days_ahead days from now that are missing, and answers how many. A day that
-- the default partition already holds rows of stays there; the others are created all the same. A new partition locks the
-- default one for a moment: while somebody reads that, it is given up almost at once, since whoever wants to read or write
-- would have to wait behind it. Null: so it was; ask again.
create or replace function create_history_partitions(days_ahead integer) returns integer
language plpgsql security definer as $$
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
    exception
      when check_violation then
        raise notice 'history of % stays in the default partition', day;
      when lock_not_available then
        raise notice 'history is being read; the partition of % comes later', day;
        return null;
    end;
  end loop;
  return created;
end $$;

create or replace function schema_version() returns integer language sql immutable as 'select 10';

-- As in version 5: nobody's until he is granted it, temporary objects last in the path, planned by index and once. What is
-- new belongs to whom the rest belongs to, so that what calls it may until the roles are granted anew.
do $$
declare
  f     record;
  owner constant name := (select pg_get_userbyid(p.proowner) from pg_proc p
    where p.pronamespace = current_schema()::regnamespace and p.proname = 'task_of');
begin
  for f in
    select p.oid::regprocedure as name, p.prosecdef as definer, p.proname as short, pg_get_userbyid(p.proowner) as owner from pg_proc p
    where p.pronamespace = current_schema()::regnamespace
      and p.proname in ('check_ids', 'land_tasks', 'enqueue', 'enqueue_many', 'prune_history_rows', 'walk_bulk', 'is_committed',
        'reveal_task', 'create_history_partitions')
  loop
    execute format('revoke all on function %s from public', f.name);
    if f.owner <> owner then execute format('alter function %s owner to %I', f.name, owner); end if;
    continue when not f.definer;
    execute format('alter function %s set search_path = %I, pg_temp', f.name, current_schema());
    if f.short = 'create_history_partitions' then
      execute format('alter function %s set lock_timeout = %L', f.name, '50ms');
      continue;
    end if;
    execute format('alter function %s set enable_seqscan = off', f.name);
    execute format('alter function %s set enable_bitmapscan = off', f.name);
    execute format('alter function %s set jit = off', f.name);
    execute format('alter function %s set plan_cache_mode = force_generic_plan', f.name);
  end loop;
end $$;

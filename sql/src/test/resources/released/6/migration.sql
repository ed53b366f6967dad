-- Bulk: one change to every task that a filter chooses, in batches. Workers of versions 1 to 5 may go on beside this; what
-- a batch changes is to them what a person changed.

-- What was asked for and how far it is.
create table bulk (
  id          uuid        primary key,                  -- of the request that started it, as in audit
  action      text        not null,
  filter      jsonb       not null,
  parameters  jsonb       not null default '{}',
  frozen      jsonb       not null,                     -- what the preview saw: freeze_bulk
  queues      text[]      not null,                     -- where it works, in this order; empty: everywhere
  expected    bigint,                                   -- tasks, where the preview could count them
  per_second  integer     not null,                     -- at the most
  actor       text        not null,
  source      text        not null,
  why         text        not null,
  started_at  timestamptz not null default clock_timestamp(),
  stepped_at  timestamptz not null default clock_timestamp(),
  ended_at    timestamptz,
  status      text        not null default 'RUNNING',
  driver      uuid,                                     -- the fence: random for every process that takes it on
  lease_until timestamptz,
  cursor      jsonb,                                    -- the last row that was looked at
  seen        bigint      not null default 0,           -- tasks that were chosen: done, skipped or failed
  done        bigint      not null default 0,
  skipped     bigint      not null default 0,
  failed      bigint      not null default 0,
  batches     integer     not null default 0,
  skips       jsonb       not null default '[]',        -- the first 20 that were skipped or failed: id and why
  error       text,                                     -- why it is STOPPED or FAILED, where nobody interrupted it
  constraint bulk_action_known check (action in ('retry', 'cancel', 'delete', 'move', 'prioritise', 'reschedule')),
  constraint bulk_status_known check (status in ('RUNNING', 'STOPPED', 'DONE', 'FAILED')),
  constraint bulk_is_driven_while_running check (
    (driver is not null) = (status = 'RUNNING') and (driver is null) = (lease_until is null)),
  constraint bulk_adds_up check (seen = done + skipped + failed),
  constraint bulk_rate_sane check (per_second between 1 and 1000000)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 500);

create index bulk_started on bulk (started_at, id);

-- Which tasks it changed: their ids, a row a batch, written by the transaction that changed them. A row a task would cost
-- several times as much; a mark on the tasks an index that all of them pay for.
create table bulk_batch (
  bulk_id uuid        not null references bulk on delete cascade,
  number  integer     not null,
  at      timestamptz not null default statement_timestamp(),
  changed uuid[]      not null,
  primary key (bulk_id, number)
);

-- Whether a row that writer wrote was so when the snapshot was taken. The number of a transaction, as rows bear it, is cut
-- to 32 bits; it is taken for the last one that it can be, with room for those that begin while a statement waits. A
-- savepoint that was open then is taken for done, which no snapshot tells.
create function unwritten_since(writer xid, snapshot pg_snapshot) returns boolean language sql stable as $$
  select pg_visible_in_snapshot((pg_snapshot_xmax(pg_current_snapshot())::text::bigint + 16777216
    - ((pg_snapshot_xmax(pg_current_snapshot())::text::bigint + 16777216 - writer::text::bigint) & 4294967295))::text::xid8,
    snapshot)
$$;

-- A filter and what is to be done, or 22023. A filter has a status and one thing more at least.
create function check_bulk(action text, filter jsonb, parameters jsonb) returns void language plpgsql stable as $$
declare
  fields  constant text[] := '{status,queue,kind,priority,worker,since,until,header,error,ids,changedBy}';
  status  text := filter ->> 'status';
  allowed text[] := case action
    when 'retry' then '{DEAD,CANCELLED}'
    when 'cancel' then '{SCHEDULED,BLOCKED,PENDING,PROCESSING}'
    when 'delete' then '{SCHEDULED,BLOCKED,PENDING,SUCCEEDED,DEAD,CANCELLED}'
    when 'move' then '{SCHEDULED,BLOCKED,PENDING}'
    when 'prioritise' then '{SCHEDULED,BLOCKED,PENDING}'
    when 'reschedule' then '{SCHEDULED,BLOCKED,PENDING}' end::text[];
  needed  text := case action when 'move' then 'queue' when 'prioritise' then 'priority' when 'reschedule' then 'runAt' end;
  problem text;
begin
  problem := case
    when jsonb_typeof(filter) is distinct from 'object' then 'a filter must be an object'
    when filter - fields <> '{}' then
      format('a filter has an unknown field %L; known are %s', left(unknown_field(filter - fields), 40), array_to_string(fields, ', '))
    when allowed is null then
      format('action must be retry, cancel, delete, move, prioritise or reschedule, was %L', left(action, 40))
    when status is null then 'a filter needs a status'
    when status <> all (allowed) then
      format('%s cannot be done to tasks that are %s, only to %s', action, left(status, 40), array_to_string(allowed, ', '))
    when filter - '{status,since,until,priority,worker,header,error}'::text[] = '{}' then
      'a filter needs a queue, a kind or ids beside its status'
    when jsonb_typeof(filter -> 'ids') <> 'array' or jsonb_array_length(filter -> 'ids') not between 1 and 10000 then
      'ids must be 1 to 10000'
    when jsonb_typeof(filter -> 'header') <> 'object' or filter -> 'header' ->> 'name' is null and filter ? 'header' then
      'header must be an object with name and value'
    when needed is not null and parameters ->> needed is null then format('%s needs %s', action, needed)
  end;
  if problem is not null then
    raise exception using errcode = 'invalid_parameter_value', message = problem;
  end if;
  if action = 'move' then perform check_name('queue', parameters ->> 'queue'); end if;
end $$;

-- The rows of a filter in the order of an index, as a query: id, finished_at, the texts of both keys, and whether the row
-- matches. Nothing of the filter is in the text, only which of its fields there are. Its parameters: $1 filter, $2 queue,
-- $3 and $4 the keys behind which it begins, $5 what the preview saw, $6 how many rows.
create function bulk_walk(filter jsonb) returns text language plpgsql stable as $$
declare
  status  text := filter ->> 'status';
  ended   boolean := status in ('SUCCEEDED', 'DEAD', 'CANCELLED');
  nil     constant text := quote_literal('00000000-0000-0000-0000-000000000000') || '::uuid';
  source  text := case when ended then 'task_history t' else 'task t' end;
  timed   text := case when ended then 'finished_at' when status = 'PROCESSING' then 'claimed_at' else 'run_at' end;
  which   text := format('t.status = %L', status);      -- inlined: what is partial is found by it
  keys    text[];
  behind  text;
  matches text[] := '{true}';
begin
  if ended then which := which || ' and t.finished_at <= ($5 ->> ''at'')::timestamptz'; end if;
  if filter ?| '{ids,changedBy}' then
    -- Not inlined: found by the primary key, not by walking all there are.
    which := replace(which, quote_literal(status), '($1 ->> ''status'')::task_status');
    source := format('(%s) u left join lateral (select t.*%s from %s where t.id = u.id and %s%s limit 1) t on true',
      case when filter ? 'ids' then
        'select 0 as number, i.nth, i.id::uuid as id from jsonb_array_elements_text($1 -> ''ids'') with ordinality i (id, nth)'
      else 'select b.number, c.nth, c.id from bulk_batch b cross join lateral unnest(b.changed) with ordinality c (id, nth)
        where b.bulk_id = ($1 ->> ''changedBy'')::uuid' end,
      case when ended then '' else ', t.xmin as writer' end, source, which,
      case when ended then ' order by t.finished_at desc' else '' end);
    which := 'true';
    keys := '{u.number,u.nth}';
    behind := 'u.number >= coalesce($3::integer, 0) and (u.number, u.nth) > (coalesce($3::integer, -1), coalesce($4::bigint, 0))';
    matches := matches || 't.id is not null'::text;
    if not ended then matches := matches || 'unwritten_since(t.writer, ($5 ->> ''snapshot'')::pg_snapshot)'::text; end if;
    if filter ? 'queue' then matches := matches || 't.queue = $1 ->> ''queue'''::text; end if;
  elsif ended then
    which := which || ' and t.queue = $2';
    keys := '{t.finished_at,t.id}';
    behind := '(t.finished_at, t.id) > (coalesce($3::timestamptz, ''-infinity''), coalesce($4::uuid, ' || nil || '))';
    if filter ? 'since' then which := which || ' and t.finished_at >= ($1 ->> ''since'')::timestamptz'; end if;
    if filter ? 'until' then which := which || ' and t.finished_at < ($1 ->> ''until'')::timestamptz'; end if;
  else
    matches := matches || 'unwritten_since(t.xmin, ($5 ->> ''snapshot'')::pg_snapshot)'::text;
    if status = 'PENDING' then
      -- What comes later stands behind the last position of then: there the walk ends.
      which := which || ' and t.queue = $2 and t.position <= ($5 ->> ''position'')::bigint';
      keys := '{t.priority,t.position}';
      behind := '(t.priority, t.position) > (coalesce($3::smallint, -1::smallint), coalesce($4::bigint, -1))';
    elsif status = 'BLOCKED' then
      which := which || ' and t.queue = $2';
      keys := '{t.id,t.id}';
      behind := 't.id > coalesce($4::uuid, ' || nil || ')';
    else
      keys := case status when 'SCHEDULED' then '{t.run_at,t.id}' else '{t.worker_id,t.id}' end;
      behind := case status
        when 'SCHEDULED' then '(t.run_at, t.id) > (coalesce($3::timestamptz, ''-infinity''), coalesce($4::uuid, ' || nil || '))'
        else '(t.worker_id, t.id) > (coalesce($3::uuid, ' || nil || '), coalesce($4::uuid, ' || nil || '))' end;
      if filter ? 'queue' then matches := matches || 't.queue = $1 ->> ''queue'''::text; end if;
    end if;
  end if;
  if filter ? 'kind' then matches := matches || 't.kind = $1 ->> ''kind'''::text; end if;
  if filter ? 'priority' then matches := matches || 't.priority = ($1 ->> ''priority'')::smallint'::text; end if;
  if filter ? 'worker' then matches := matches || 't.worker_id = ($1 ->> ''worker'')::uuid'::text; end if;
  if filter ? 'since' then matches := matches || format('t.%I >= ($1 ->> ''since'')::timestamptz', timed); end if;
  if filter ? 'until' then matches := matches || format('t.%I < ($1 ->> ''until'')::timestamptz', timed); end if;
  if filter ? 'header' then
    matches := matches || 't.headers ->> ($1 -> ''header'' ->> ''name'') = $1 -> ''header'' ->> ''value'''::text;
  end if;
  if filter ? 'error' then
    matches := matches || 'strpos(lower(concat_ws('': '', t.errors -> -1 ->> ''class'', t.errors -> -1 ->> ''message'')), lower($1 ->> ''error'')) > 0'::text;
  end if;
  return format('select t.id, %s as finished_at, %s::text as first, %s::text as second, coalesce(%s, false) as matches
    from %s where %s and %s order by %s limit $6',
    case when ended then 't.finished_at' else 'null::timestamptz' end, keys[1], keys[2], array_to_string(matches, ' and '),
    source, which, behind, array_to_string(keys, ', '));
end $$;

-- What a bulk may touch is frozen before it is shown: unfinished tasks that no transaction has written since, finished ones
-- that had ended by then. And where they can be: a queue after the other, or everywhere at once.
create function freeze_bulk(action text, filter jsonb, parameters jsonb default '{}') returns jsonb
language plpgsql volatile security definer as $$
declare
  status text := filter ->> 'status';
  seen   jsonb := jsonb_build_object('at', clock_timestamp(), 'snapshot', pg_current_snapshot(),
    'position', (select last_value from task_position));
  names  text[] := case when filter ? 'queue' then array[filter ->> 'queue'] else '{}' end;
  source text := case when status in ('SUCCEEDED', 'DEAD', 'CANCELLED') then 'task_history' else 'task' end;
begin
  perform check_bulk(action, filter, parameters);
  if names = '{}' and status not in ('SCHEDULED', 'PROCESSING') and not filter ?| '{ids,changedBy}' then
    execute format('with recursive names as (
        (select t.queue, 1 as n from %1$I t where t.status = %2$L order by t.queue limit 1)
        union all
        select (select t.queue from %1$I t where t.status = %2$L and t.queue > s.queue order by t.queue limit 1), s.n + 1
        from names s where s.queue is not null and s.n <= 200)
      select coalesce(array_agg(s.queue order by s.n) filter (where s.queue is not null), ''{}'') from names s',
      source, status) into names;
    if cardinality(names) > 200 then
      raise exception using errcode = 'invalid_parameter_value',
        message = format('tasks that are %s stand in more than 200 queues; name one', status);
    elsif names = '{}' then
      names := '{""}';                                  -- which none is called: nowhere
    end if;
  end if;
  return seen || jsonb_build_object('queues', names);
end $$;

-- Goes on behind cursor until most tasks are found, look rows were looked at, or nothing is left. Answers them and where
-- it stands. The more rows it has looked at in vain, the more it looks at next.
create function walk_bulk(
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
    span := span * 2;
  end loop;
end $$;

-- The first tasks that a bulk would change, at most so many; what they are, not what they carry.
create function count_bulk(filter jsonb, frozen jsonb, most integer, look integer, out ids uuid[], out is_over boolean)
language plpgsql volatile security definer as $$
declare
  walked record;
begin
  if coalesce(most, 0) not between 1 and 100000 or coalesce(look, 0) < 1 then
    raise exception using errcode = 'invalid_parameter_value', message = 'most must be 1 to 100000, and look at least 1';
  end if;
  walked := walk_bulk(filter, frozen, null, most, look);
  ids := walked.ids;
  is_over := walked.is_over;
end $$;

-- Another bulk that works in one of these queues; those whose process went away are stopped first.
create function bulk_in_the_way(queues text[], except_for uuid) returns bulk language plpgsql volatile as $$
declare
  other bulk;
begin
  lock table bulk in share row exclusive mode;          -- so that of two that begin at once the second sees the first
  update bulk b set status = 'STOPPED', driver = null, lease_until = null, error = 'its process went away'
  where b.status = 'RUNNING' and b.lease_until < clock_timestamp() and b.id <> except_for;
  select b.* into other from bulk b
  where b.status = 'RUNNING' and b.id <> except_for
    and (b.queues = '{}' or bulk_in_the_way.queues = '{}' or b.queues && bulk_in_the_way.queues) limit 1;
  return other;
end $$;

-- Begins a bulk as its preview showed it; whoever gets the driver drives it. A request that is sent twice begins one.
create function start_bulk(
  action text, filter jsonb, parameters jsonb, frozen jsonb, expected bigint, per_second integer,
  request uuid, actor text, source text, why text, out result text, out driver uuid, out message text)
language plpgsql volatile security definer as $$
#variable_conflict use_variable
declare
  first  audit;
  other  bulk;
  places text[] := array(select q #>> '{}' from jsonb_array_elements(frozen -> 'queues') q);
begin
  perform check_request(request, actor, source, why);
  perform check_bulk(action, filter, parameters);
  if char_length(btrim(why)) < 10 then
    raise exception using errcode = 'invalid_parameter_value', message = format('a bulk needs a reason of at least 10 characters, was %L', why);
  elsif coalesce(per_second, 0) not between 1 and 1000000 then
    raise exception using errcode = 'invalid_parameter_value', message = format('per_second must be 1 to 1000000, was %s', per_second);
  elsif jsonb_typeof(frozen -> 'queues') is distinct from 'array' or frozen ->> 'at' is null
    or (frozen ->> 'snapshot')::pg_snapshot is null or frozen ->> 'position' is null then
    raise exception using errcode = 'invalid_parameter_value', message = 'a bulk begins with what freeze_bulk answered';
  end if;
  if action = 'move' then places := places || (parameters ->> 'queue'); end if;
  if frozen -> 'queues' = '[]' then places := '{}'; end if;
  other := bulk_in_the_way(places, request);
  first := asked_before(request, 'bulk.start', request::text);
  if first.id is not null then
    result := first.result;
    message := 'asked before, at ' || first.at;
    return;
  end if;
  if other.id is not null then
    result := 'refused';
    message := format('bulk %s of %s works there since %s; interrupt it, or wait for its end', other.id, other.actor,
      to_char(other.started_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'));
  else
    delete from bulk b where b.status <> 'RUNNING' and b.stepped_at < clock_timestamp() - interval '90 days';
    driver := gen_random_uuid();
    insert into bulk (id, action, filter, parameters, frozen, queues, expected, per_second, actor, source, why, driver, lease_until)
    values (request, action, filter, parameters, frozen, places, expected, per_second, actor, source, why, driver,
      clock_timestamp() + interval '30 seconds');
    result := 'done';
    message := '';
  end if;
  insert into audit (id, actor, source, action, target, why, before, after, result)
  values (request, actor, source, 'bulk.start', request::text, why, filter::text, action || ' ' || parameters::text, result);
end $$;

-- Goes on with a bulk that was interrupted, or whose process went away. By itself, which is to say by a process that nobody
-- asked, only where that was within the last ten minutes.
create function resume_bulk(
  bulk uuid, by_itself boolean, request uuid, actor text, source text, why text,
  out result text, out driver uuid, out message text)
language plpgsql volatile security definer as $$
#variable_conflict use_variable
declare
  first audit;
  found_ bulk;
  other bulk;
begin
  perform check_request(request, actor, source, why);
  other := bulk_in_the_way('{}', bulk);                 -- for its lock; whom it works beside is looked at below
  first := asked_before(request, 'bulk.resume', bulk::text);
  if first.id is not null then
    result := first.result;
    message := 'asked before, at ' || first.at;
    return;
  end if;
  select b.* into found_ from bulk b where b.id = bulk for no key update;
  other := bulk_in_the_way(found_.queues, bulk);
  message := case
    when found_.id is null then format('there is no bulk %s', bulk)
    when found_.status = 'DONE' then format('bulk %s is DONE', bulk)
    when found_.status = 'RUNNING' and found_.lease_until > clock_timestamp() then format('bulk %s is being driven', bulk)
    when by_itself and found_.status <> 'RUNNING' then format('bulk %s is %s; somebody has to resume it', bulk, found_.status)
    when by_itself and found_.stepped_at < clock_timestamp() - interval '10 minutes' then
      format('bulk %s has stood still for more than 10 minutes; somebody has to resume it', bulk)
    when other.id is not null then format('bulk %s of %s works there; interrupt it, or wait for its end', other.id, other.actor)
  end;
  result := case when found_.id is null then 'missing' when message is null then 'done' else 'refused' end;
  if result = 'done' then
    driver := gen_random_uuid();
    update bulk b set status = 'RUNNING', driver = resume_bulk.driver, lease_until = clock_timestamp() + interval '30 seconds',
      error = null, ended_at = null
    where b.id = bulk;
    message := '';
  end if;
  insert into audit (id, actor, source, action, target, why, before, after, result)
  values (request, actor, source, 'bulk.resume', bulk::text, why, found_.status, case result when 'done' then 'RUNNING' end, result);
end $$;

-- Stops a bulk after the batch that is under way.
create function interrupt_bulk(
  bulk uuid, request uuid, actor text, source text, why text, out result text, out message text)
language plpgsql volatile security definer as $$
#variable_conflict use_variable
declare
  first audit;
  found_ bulk;
begin
  perform check_request(request, actor, source, why);
  lock table bulk in row exclusive mode;                -- before the row, as whoever wants all of them
  select b.* into found_ from bulk b where b.id = bulk for no key update;
  first := asked_before(request, 'bulk.interrupt', bulk::text);
  if first.id is not null then
    result := first.result;
    message := 'asked before, at ' || first.at;
    return;
  end if;
  result := case when found_.id is null then 'missing' when found_.status = 'RUNNING' then 'done' else 'stale' end;
  message := case result when 'missing' then format('there is no bulk %s', bulk) when 'stale' then format('bulk %s is %s', bulk, found_.status)
    else '' end;
  update bulk b set status = 'STOPPED', driver = null, lease_until = null, error = null where b.id = bulk and result = 'done';
  insert into audit (id, actor, source, action, target, why, before, after, result)
  values (request, actor, source, 'bulk.interrupt', bulk::text, why, found_.status, case result when 'done' then 'STOPPED' end, result);
end $$;

-- Ends a bulk that cannot go on: what its driver says of it.
create function fail_bulk(bulk uuid, driver uuid, error text) returns boolean language plpgsql volatile security definer as $$
begin
  update bulk b set status = 'FAILED', driver = null, lease_until = null, error = left(fail_bulk.error, 2000), ended_at = clock_timestamp()
  where b.id = fail_bulk.bulk and b.driver = fail_bulk.driver;
  return found;
end $$;

-- Puts tasks that ended where they are claimed again, as revive_task does with one: with their errors and attempts, their
-- failures anew. Whose key is taken, or which is alive, stays where it was. Keys in the order in which others take them.
create function revive_tasks(
  ids uuid[], ends timestamptz[], ending task_status, since timestamptz, spread interval, out revived uuid[], out ready text[])
language plpgsql volatile as $$
begin
  with picked as materialized (
    select h.* from unnest(revive_tasks.ids, revive_tasks.ends) p (id, finished_at)
    join task_history h on h.id = p.id and h.finished_at = p.finished_at
    where h.status = revive_tasks.ending
    for update of h skip locked),
  due as (
    select p.*, greatest(statement_timestamp(), revive_tasks.since
      + revive_tasks.spread * ((hashtext(p.id::text)::bigint + 2147483648) / 4294967296.0)::float8) as due_at
    from picked p),
  back as (
    insert into task as t (id, created_at, run_at, claimed_at, status, priority, attempt, failures, losses, max_attempts, timeout,
      queue, kind, payload, headers, unique_key, unique_hold, errors)
    select d.id, d.created_at, d.due_at, d.claimed_at,
      case when d.due_at > statement_timestamp() then 'SCHEDULED' else 'PENDING' end::task_status, d.priority, d.attempt, 0,
      least(d.losses, 2), d.max_attempts, d.timeout, d.queue, d.kind, d.payload, d.headers, d.unique_key,
      d.unique_key is not null and coalesce(d.unique_hold, true), d.errors
    from due d order by d.queue, d.unique_key, d.finished_at, d.id
    on conflict do nothing returning t.id, t.queue, t.status),
  gone as (
    delete from task_history h using unnest(revive_tasks.ids, revive_tasks.ends) p (id, finished_at)
    where h.id = p.id and h.finished_at = p.finished_at and p.id = any (array(select b.id from back b)))
  select coalesce(array_agg(b.id), '{}'), coalesce(array_agg(distinct b.queue) filter (where b.status = 'PENDING'), '{}')
    into revived, ready from back b;
end $$;

-- Why a task that was chosen was not changed, as far as can still be seen.
create function bulk_skip(action text, filter jsonb, parameters jsonb, id uuid, finished_at timestamptz) returns text
language plpgsql stable as $$
declare
  live   task;
  past   task_history;
  holder uuid;
begin
  select t.* into live from task t where t.id = bulk_skip.id limit 1;
  if bulk_skip.finished_at is not null then
    select h.* into past from task_history h where h.id = bulk_skip.id and h.finished_at = bulk_skip.finished_at;
    if live.id is not null then return 'it is ' || live.status || ' already'; end if;
    if past.id is null then return 'it is gone'; end if;
    holder := key_holder(past.queue, past.unique_key, past.id);
    return case when holder is null then 'somebody else was changing it' else format('task %s has its unique key', holder) end;
  end if;
  if live.id is null then return 'it waits no more'; end if;
  if live.status::text <> bulk_skip.filter ->> 'status' then return 'it is ' || live.status || ' by now'; end if;
  if action = 'move' then
    if live.queue = parameters ->> 'queue' then return 'it is there already'; end if;
    holder := key_holder(parameters ->> 'queue', live.unique_key, live.id);
    if holder is not null then return format('task %s has its unique key there', holder); end if;
  elsif action = 'prioritise' and live.priority = (parameters ->> 'priority')::smallint
    or action = 'reschedule' and live.run_at = (parameters ->> 'runAt')::timestamptz then
    return 'it is so already';
  end if;
  return 'somebody else was changing it, or has';
end $$;

-- One batch: chooses at most most tasks, changes those that are still as they were, and keeps how far it is, all in one
-- transaction. Whatever ends it, the next begins where the last that was committed has ended. With refusal it changes none
-- and counts them as failed for that reason. Answers how it stands now; nothing is done where the driver is another.
create function step_bulk(
  bulk uuid, driver uuid, most integer, look integer default 20000, refusal text default null,
  out status text, out chosen integer, out changed integer, out looked integer, out rung text[])
language plpgsql volatile security definer as $$
#variable_conflict use_variable
declare
  b      bulk;
  walked record;
  wanted task_status;
  snap   pg_snapshot;
  level  smallint;
  due    timestamptz;
  here   uuid[] := '{}';
  spots  text[] := '{}';
  why_not jsonb := '[]';
begin
  lock table bulk in row exclusive mode;                -- before the row, as whoever wants all of them
  select r.* into b from bulk r where r.id = bulk for no key update;
  chosen := 0; changed := 0; looked := 0; rung := '{}';
  if b.id is null or b.driver is distinct from driver then
    status := coalesce(b.status, 'MISSING');
    if status = 'RUNNING' then status := 'LOST'; end if;
    return;
  elsif coalesce(most, 0) not between 1 and 500 or coalesce(look, 0) not between 1 and 100000 then
    raise exception using errcode = 'invalid_parameter_value', message = 'most must be 1 to 500, and look 1 to 100000';
  end if;
  walked := walk_bulk(b.filter, b.frozen, b.cursor, most, look);
  wanted := (b.filter ->> 'status')::task_status;
  snap := (b.frozen ->> 'snapshot')::pg_snapshot;
  looked := walked.looked;
  chosen := cardinality(walked.ids);

  if chosen = 0 or refusal is not null then
    null;
  elsif b.action = 'retry' then
    select r.revived, r.ready into here, spots from revive_tasks(walked.ids, walked.ends, wanted, b.started_at,
      coalesce((b.parameters ->> 'spread')::interval, interval '0')) r;
  elsif b.action = 'delete' and wanted in ('SUCCEEDED', 'DEAD', 'CANCELLED') then
    with picked as materialized (
      select h.id, h.finished_at from unnest(walked.ids, walked.ends) p (id, finished_at)
      join task_history h on h.id = p.id and h.finished_at = p.finished_at
      where h.status = wanted for update of h skip locked),
    gone as (
      delete from task_history h using picked p where h.id = p.id and h.finished_at = p.finished_at returning h.id)
    select coalesce(array_agg(g.id), '{}') into here from gone g;
  elsif b.action = 'move' then
    with picked as materialized (
      select t.* from task t
      where t.id = any (walked.ids) and t.status = wanted and unwritten_since(t.xmin, snap)
      for update skip locked),
    there as (
      insert into task as t (id, created_at, run_at, claimed_at, status, priority, attempt, failures, losses, max_attempts, timeout,
        queue, kind, payload, headers, unique_key, unique_hold, concurrency_key, errors)
      select p.id, p.created_at, p.run_at, p.claimed_at, p.status, p.priority, p.attempt, p.failures, p.losses, p.max_attempts,
        p.timeout, b.parameters ->> 'queue', p.kind, p.payload, p.headers, p.unique_key, p.unique_hold, p.concurrency_key, p.errors
      from picked p order by p.unique_key, p.priority, p.position
      on conflict do nothing returning t.id),
    gone as (
      delete from task t using picked p where t.id = p.id and t.queue = p.queue and p.id = any (array(select h.id from there h)))
    select coalesce(array_agg(h.id), '{}') into here from there h;
    spots := array[b.parameters ->> 'queue'];
  elsif b.action in ('cancel', 'delete') then
    -- In the order of the walk, so that those who wait longest for their rows do not wait crosswise.
    with picked as materialized (
      select t.id from task t
      where t.id = any (walked.ids) and t.status = wanted and unwritten_since(t.xmin, snap)
      for update skip locked),
    gone as (
      delete from task t where t.id = any (array(select p.id from picked p)) returning t.*)
    select coalesce(array_agg(k.id), '{}') into here from (
      select g.id, case when b.action = 'cancel' then archive_cancelled(g, b.why) is null end from gone g offset 0) k;
  else
    level := (b.parameters ->> 'priority')::smallint;
    due := (b.parameters ->> 'runAt')::timestamptz;
    with picked as materialized (
      select t.id from task t
      where t.id = any (walked.ids) and t.status = wanted and unwritten_since(t.xmin, snap)
        and (t.priority <> level or t.run_at <> due)
      for no key update skip locked),
    here_ as (
      update task t set
        priority = coalesce(level, t.priority),
        run_at = case when due is null then t.run_at else greatest(due, statement_timestamp()) end,
        status = case when t.status = 'BLOCKED' or due is null then t.status
          when due > statement_timestamp() then 'SCHEDULED' else 'PENDING' end::task_status,
        position = nextval('task_position')             -- at the end of its lane, above what workers have looked through
      where t.id = any (array(select p.id from picked p))
      returning t.id, t.queue, t.status)
    select coalesce(array_agg(h.id), '{}'), coalesce(array_agg(distinct h.queue) filter (where h.status = 'PENDING'), '{}')
      into here, spots from here_ h;
  end if;

  changed := cardinality(here);
  rung := case when changed > 0 then spots else '{}' end;
  if changed > 0 then
    insert into bulk_batch (bulk_id, number, changed) values (bulk, b.batches + 1, here);
  end if;
  if changed < chosen and jsonb_array_length(b.skips) < 20 then
    select jsonb_agg(jsonb_build_object('id', s.id, 'why',
        coalesce(refusal, bulk_skip(b.action, b.filter, b.parameters, s.id, s.finished_at))) order by s.nth)
      into why_not from (
        select p.id, p.finished_at, p.nth from unnest(walked.ids, walked.ends) with ordinality p (id, finished_at, nth)
        where p.id <> all (here) order by p.nth limit 20 - jsonb_array_length(b.skips)) s;
  end if;
  status := case when walked.is_over then 'DONE' else 'RUNNING' end;
  update bulk r set
    cursor = walked.stands,
    seen = r.seen + chosen,
    done = r.done + changed,
    skipped = r.skipped + case when refusal is null then chosen - changed else 0 end,
    failed = r.failed + case when refusal is null then 0 else chosen end,
    skips = r.skips || coalesce(why_not, '[]'),
    batches = r.batches + case when changed > 0 then 1 else 0 end,
    stepped_at = clock_timestamp(),
    status = step_bulk.status,
    driver = case when not walked.is_over then r.driver end,
    lease_until = case when not walked.is_over then clock_timestamp() + interval '30 seconds' end,
    ended_at = case when walked.is_over then clock_timestamp() end
  where r.id = bulk;
end $$;

create or replace function schema_version() returns integer language sql immutable as 'select 6';

-- As in version 5. A batch waits for nobody's lock for long; what only reads waits even less.
do $$
declare
  f record;
begin
  for f in
    select p.oid::regprocedure as name, p.prosecdef as definer, p.proname as short from pg_proc p
    where p.pronamespace = current_schema()::regnamespace
      and (p.proname ~ '_bulk$|^bulk_' or p.proname in ('unwritten_since', 'revive_tasks'))
  loop
    execute format('revoke all on function %s from public', f.name);
    continue when not f.definer;
    execute format('alter function %s set search_path = %I, pg_temp', f.name, current_schema());
    execute format('alter function %s set enable_seqscan = off', f.name);
    execute format('alter function %s set enable_bitmapscan = off', f.name);
    execute format('alter function %s set enable_mergejoin = off', f.name);
    execute format('alter function %s set enable_hashjoin = off', f.name);
    execute format('alter function %s set jit = off', f.name);
    execute format('alter function %s set plan_cache_mode = force_generic_plan', f.name);
    execute format('alter function %s set lock_timeout = %L', f.name, '1s');
  end loop;
end $$;

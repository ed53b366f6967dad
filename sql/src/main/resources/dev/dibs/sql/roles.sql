-- Dibs, the roles: who may do what. Run it after the migrations, as often as you like, with search_path set to the
-- schema. Roles belong to the whole server, so their names begin with the schema's: dibs_producer, or jobs_producer for
-- a schema called jobs. None of them can log in; grant them to those who do.
--
-- What must not be granted is taken back first, so whoever was granted more by hand has no more than this afterwards.
do $$
declare
  here     constant text := current_schema();
  owner    constant text := here || '_owner';
  producer constant text := here || '_producer';
  worker   constant text := here || '_worker';
  viewer   constant text := here || '_viewer';
  operator constant text := here || '_operator';
  role     text;
  thing    record;
begin
  foreach role in array array[owner, producer, worker, viewer, operator] loop
    begin
      if not exists (select from pg_roles where rolname = role) then execute format('create role %I nologin', role); end if;
    exception when duplicate_object or unique_violation then
      null;                                             -- another database of this server was faster
    end;
  end loop;
  -- Who creates roles without being a superuser is not yet what he has created.
  if not pg_has_role(owner, 'USAGE') then execute format('grant %I to %I', owner, current_user); end if;

  execute format('alter schema %I owner to %I', here, owner);
  for thing in
    select c.oid::regclass::text as name, case c.relkind when 'S' then 'sequence' when 'v' then 'view' else 'table' end as what
    from pg_class c
    where c.relnamespace = here::regnamespace and c.relkind in ('r', 'p', 'v', 'S') and c.relowner <> owner::regrole
    union all
    select p.oid::regprocedure::text, 'function' from pg_proc p
    where p.pronamespace = here::regnamespace and p.proowner <> owner::regrole
    union all
    select t.oid::regtype::text, 'type' from pg_type t
    where t.typnamespace = here::regnamespace and t.typtype = 'e' and t.typowner <> owner::regrole
  loop
    execute format('alter %s %s owner to %I', thing.what, thing.name, owner);
  end loop;

  execute format('revoke all on schema %I from public, %I, %I, %I, %I', here, producer, worker, viewer, operator);
  execute format('revoke all on all tables in schema %I from public, %I, %I, %I, %I', here, producer, worker, viewer, operator);
  execute format('revoke all on all sequences in schema %I from public, %I, %I, %I, %I', here, producer, worker, viewer, operator);
  execute format('revoke all on all functions in schema %I from public, %I, %I, %I, %I', here, producer, worker, viewer, operator);
  execute format('grant usage on schema %I to %I, %I, %I, %I', here, producer, worker, viewer, operator);
  execute 'grant execute on function schema_version(), schema_serves_from() to public';

  -- Puts tasks in and reads nobody's.
  execute format('grant execute on function enqueue(text, jsonb, text, integer, interval, timestamptz, integer, interval, jsonb,
    text, text, text, uuid), enqueue_many(jsonb), enqueue_rows(uuid[], text[], text[], smallint[], integer[], text[], text[], bigint[],
    timestamptz[], bigint[], text[], text[], bigint[], text[], boolean) to %I', producer);

  -- What the engine does, and what workers in other languages call. Rows of history are written once, and its partitions
  -- come and go by functions of their owner.
  if not pg_has_role(worker, producer, 'MEMBER') then execute format('grant %I to %I', producer, worker); end if;
  execute format('grant select, insert, update, delete on task, worker, unique_window to %I', worker);
  execute format('grant select, insert on task_history to %I', worker);
  execute format('grant select, update on duty to %I', worker);
  execute format('grant select, insert, update, delete on schedule to %I', worker);
  execute format('grant select, insert, delete on schedule_tick to %I', worker);
  execute format('grant select on queue, kind to %I', worker);
  execute format('grant usage on sequence task_position to %I', worker);
  execute format('grant execute on function create_history_partitions(integer), prune_history(), prune_history_rows(integer),
    prune_audit(integer), register(text, bigint, text[], text[], integer, text), heartbeat(uuid), claim(uuid, text[], text[], integer),
    finish(uuid, uuid, text, interval, jsonb), deregister(uuid) to %I', worker);
  if current_setting('server_version_num')::integer >= 170000 then
    execute format('grant maintain on task to %I', worker);
  end if;

  -- Sees what happens, and of no task what it carries or who may write to it.
  execute format('grant select on task_public, task_history_public, worker_public, worker, queue, kind, duty, audit, bulk, bulk_batch to %I', viewer);
  execute format('grant select (id, position, created_at, run_at, claimed_at, worker_id, status, priority, attempt, failures, losses,
    max_attempts, timeout, queue, kind, headers, unique_key, unique_hold, concurrency_key, errors) on task to %I', viewer);
  execute format('grant select (id, created_at, run_at, claimed_at, finished_at, worker_id, status, priority, attempt, failures,
    losses, max_attempts, timeout, queue, kind, headers, unique_key, unique_hold, errors) on task_history to %I', viewer);
  execute format('grant select (name, cron, every, zone, queue, kind, priority, max_attempts, timeout, misfire, catch_up, overlap,
    jitter, version, changed_at, paused_at, paused_by, paused_why, next_tick_at, last_tick_at, last_task_id) on schedule to %I', viewer);
  execute format('grant execute on function explain(uuid, text) to %I, %I', viewer, worker);

  -- Sees the same, and does what is done by hand: by functions that write the audit, so that nobody does it unseen.
  if not pg_has_role(operator, viewer, 'MEMBER') then execute format('grant %I to %I', viewer, operator); end if;
  execute format('grant execute on function cancel(uuid, text), cancel_unique(text, text, text) to %I', operator);
  execute format('grant execute on function retry_task, cancel_task, delete_task, move_task, prioritise_task, reschedule_task,
    reveal_task, pause_queue, resume_queue, pause_kind, resume_kind, retain_queue, retain_queue_as_seen,
    drain_worker, undrain_worker, pause_schedule, resume_schedule, run_schedule to %I', operator);
  execute format('grant execute on function freeze_bulk, count_bulk, start_bulk, step_bulk, interrupt_bulk, resume_bulk, fail_bulk
    to %I', operator);
end $$;

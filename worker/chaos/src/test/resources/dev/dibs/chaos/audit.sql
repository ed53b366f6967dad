-- What the judge reads: every change of a task and of a worker's row, in the order in which they happened.
-- Updates of one row follow each other, so seq is the total order of a task's life.
create schema chaos;

create sequence chaos.seq;

create table chaos.audit (
  seq         bigint      not null default nextval('chaos.seq') primary key,
  txid        bigint      not null default pg_current_xact_id()::text::bigint,
  actor       text        not null default current_setting('application_name'),
  op          text        not null,           -- insert, update, delete; history: what a deleted task became
  id          uuid        not null,
  kind        text        not null,
  old_status  text, new_status  text,
  old_lease   uuid, new_lease   uuid,
  old_worker  uuid, new_worker  uuid,
  old_attempt int,  new_attempt int,
  old_losses  int,  new_losses  int
);

-- Rows of worker as they come, beat and go.
create table chaos.life (
  seq        bigint not null default nextval('chaos.seq') primary key,
  actor      text   not null default current_setting('application_name'),
  op         text   not null,
  worker     uuid   not null,
  status     text   not null,
  beat       bigint not null,
  lease_left double precision not null        -- seconds, at the moment of the change
);

-- What handlers of the kind inside do. Nothing here is unique: what happens twice is to be seen.
create table chaos.effect (
  task    uuid not null,
  attempt int  not null,
  child   uuid,
  actor   text not null default current_setting('application_name')
);

create function chaos.audit() returns trigger language plpgsql as $$
begin
  insert into chaos.audit (op, id, kind, old_status, new_status, old_lease, new_lease, old_worker, new_worker,
                           old_attempt, new_attempt, old_losses, new_losses)
  values (lower(tg_op), coalesce(new.id, old.id), coalesce(new.kind, old.kind), old.status, new.status,
          old.lease, new.lease, old.worker_id, new.worker_id, old.attempt, new.attempt, old.losses, new.losses);
  return null;
end $$;
create trigger audit after insert or update or delete on dibs.task for each row execute function chaos.audit();

create function chaos.history() returns trigger language plpgsql as $$
begin
  insert into chaos.audit (op, id, kind, new_status, new_lease, new_worker, new_attempt, new_losses)
  values ('history', new.id, new.kind, new.status, new.lease, new.worker_id, new.attempt, new.losses);
  return null;
end $$;
create trigger audit after insert on dibs.task_history for each row execute function chaos.history();

create function chaos.life() returns trigger language plpgsql as $$
begin
  insert into chaos.life (op, worker, status, beat, lease_left)
  values (lower(tg_op), coalesce(new.id, old.id), coalesce(new.status, old.status), coalesce(new.beat, old.beat),
          extract(epoch from coalesce(new.lease_until, old.lease_until) - clock_timestamp()));
  return null;
end $$;
create trigger life after insert or update or delete on dibs.worker for each row execute function chaos.life();

-- What lasted. A producer that repeats an enqueue whose answer it missed, and finds that the task has ended by then,
-- takes back what it inserted in the same transaction: nobody ever saw it.
create view chaos.lasting as
  select a.* from chaos.audit a
  where not exists (
    select from chaos.audit o
    where o.txid = a.txid and o.id = a.id and (a.op, o.op) in (('insert', 'delete'), ('delete', 'insert')));

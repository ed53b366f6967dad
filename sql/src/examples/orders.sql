-- Tasks by trigger: psql -f orders.sql, as a user who is a member of dibs_producer and may create tables in his schema.
-- Whatever inserts an order, its task is in the same transaction: there are never orders without a task, nor tasks
-- without an order.
\set ON_ERROR_STOP on

create table orders (id bigint generated always as identity primary key, customer text not null, total numeric not null);

create function enqueue_invoice() returns trigger language plpgsql as $$
begin
  perform dibs.enqueue('send-invoice', jsonb_build_object('orderId', new.id), queue => 'mail',
    unique_key => 'invoice-' || new.id);
  return null;
end $$;

create trigger enqueue_invoice after insert on orders for each row execute function enqueue_invoice();

insert into orders (customer, total) values ('Ada', 12), ('Grace', 30);

begin;
insert into orders (customer, total) values ('Nobody', 1);
rollback;

-- A producer in SQL: psql -f enqueue.sql, as a user who is a member of dibs_producer.
\set ON_ERROR_STOP on

-- Kind and payload are enough; queue, priority, delay and so on are named.
select dibs.enqueue('greet', '{"name": "Ada"}', queue => 'mail');
select dibs.enqueue('greet', '{"name": "Grace"}', queue => 'mail', priority => 1, delay => '1 hour');

-- With an id of your own an enqueue whose answer was lost can be repeated: the second changes nothing.
select gen_random_uuid() as id \gset
select dibs.enqueue('greet', '{"name": "Edsger"}', queue => 'mail', id => :'id');
select dibs.enqueue('greet', '{"name": "Edsger"}', queue => 'mail', id => :'id');

-- With a unique key there is one task of it: here a debounce, the last payload wins.
select dibs.enqueue('reindex', '{"page": 1}', unique_key => 'reindex-shop', on_conflict => 'replace', delay => '10 s');
select dibs.enqueue('reindex', '{"page": 2}', unique_key => 'reindex-shop', on_conflict => 'replace', delay => '10 s');

-- Many at once are all or none, and a statement.
select * from dibs.enqueue_many('[{"kind": "greet", "queue": "mail", "payload": {"name": "Barbara"}},
                                  {"kind": "greet", "queue": "mail", "payload": {"name": "Niklaus"}, "delay": "5m"}]');

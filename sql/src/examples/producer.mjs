// A producer in JavaScript: node producer.mjs, as a user who is a member of dibs_producer.
// PGHOST, PGUSER and so on say where the database is. Needs pg.
import pg from 'pg';

const db = new pg.Client();
await db.connect();

await db.query('begin'); // the order and its task are committed together, or neither is
await db.query('create temporary table orders (id int)');
await db.query('insert into orders values (42)');
await db.query("select dibs.enqueue('greet', $1, queue => 'mail')", [{ name: 'Ada' }]);
await db.query('commit');

const tasks = [
  { kind: 'greet', queue: 'mail', payload: { name: 'Grace' }, priority: 'high' },
  { kind: 'greet', queue: 'mail', payload: {}, maxAttempts: 1 },
];
const { rows } = await db.query('select * from dibs.enqueue_many($1)', [JSON.stringify(tasks)]);
for (const { ordinal, id, landing } of rows) console.log(ordinal, id, landing);
await db.end();

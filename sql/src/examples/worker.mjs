// A worker in JavaScript: node worker.mjs, as a user who is a member of dibs_worker.
// PGHOST, PGUSER and so on say where the database is. Needs pg. With --drain it ends when nothing is ready.
import os from 'node:os';
import pg from 'pg';

const BEAT = 3000, POLL = 2500, ROOM = 10; // after 15 s without a beat others take the tasks
const drain = process.argv.includes('--drain');
const queues = ['mail'];
const handlers = {
  // Handlers may be called again after a crash. Promises are awaited; what is thrown is a failure.
  greet: async ({ name }) => {
    if (!name) throw new TypeError('nobody to greet');
    console.log('hello', name);
  },
};
const kinds = Object.keys(handlers);

const pool = new pg.Pool({ max: ROOM + 2 });
const one = async (sql, values) => Object.values((await pool.query(sql, values)).rows[0])[0];
let stopping = false, wake = () => {};
const pause = (ms) => new Promise((resolve) => { wake = resolve; setTimeout(resolve, ms).unref(); });
process.on('SIGTERM', () => { stopping = true; wake(); });

// Bells: NOTIFY with the queue's name on the channel that is called like the schema. Without them tasks are polled for.
const bells = new pg.Client();
await bells.connect();
bells.on('notification', ({ payload }) => { if (queues.includes(payload)) wake(); });
await bells.query('listen dibs');

async function run({ id, lease, kind, payload }) {
  let outcome = 'succeeded', error = null;
  try {
    await handlers[kind](payload);
  } catch (e) {
    outcome = 'retry';
    error = { class: e.name, message: e.message, stack: e.stack };
  }
  const held = await one('select dibs.finish($1, $2, $3, error => $4)', [id, lease, outcome, error]);
  if (!held) console.error('task', id, 'was in other hands');
}

while (!stopping) {
  const worker = await one("select dibs.register($1, $2, $3, $4, $5, 'node')", [os.hostname(), process.pid, queues, kinds, ROOM]);
  let lost = false;
  const beat = setInterval(async () => {
    const alive = await one('select dibs.heartbeat($1)', [worker]).catch(() => false);
    if (!alive) { lost = true; wake(); }
  }, BEAT);
  while (!stopping && !lost) {
    const { rows } = await pool.query('select * from dibs.claim($1, $2, $3, $4)', [worker, queues, kinds, ROOM]);
    await Promise.all(rows.map(run));
    if (rows.length === 0) {
      if (drain) stopping = true;
      else await pause(POLL);
    }
  }
  clearInterval(beat);
  await one('select dibs.deregister($1)', [worker]); // gives back what is still held
}
await bells.end();
await pool.end();

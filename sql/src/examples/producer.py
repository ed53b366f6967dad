"""A producer in Python: python3 producer.py, as a user who is a member of dibs_producer.

PGHOST, PGUSER and so on say where the database is. Needs psycopg 3.
"""

import psycopg
from psycopg.types.json import Jsonb

with psycopg.connect() as db:  # one transaction: the order and its task are committed together, or neither is
    db.execute("create temporary table orders (id int)")
    db.execute("insert into orders values (42)")
    db.execute("select dibs.enqueue('greet', %s, queue => 'mail')", (Jsonb({"name": "Ada"}),))

    tasks = [
        {"kind": "greet", "queue": "mail", "payload": {"name": "Grace"}, "priority": "high"},
        {"kind": "greet", "queue": "mail", "payload": {}, "maxAttempts": 1},
    ]
    for ordinal, task, landing in db.execute("select * from dibs.enqueue_many(%s)", (Jsonb(tasks),)):
        print(ordinal, task, landing)

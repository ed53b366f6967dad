"""A worker in Python: python3 worker.py, as a user who is a member of dibs_worker.

PGHOST, PGUSER and so on say where the database is. Needs psycopg 3. With --drain it ends when nothing is ready.
It runs a task at a time; for more, start more of them, or claim more and run them on threads.
"""

import os
import signal
import socket
import sys
import threading
import traceback

import psycopg
from psycopg.types.json import Jsonb

BEAT, POLL = 3, 2.5  # seconds; after 15 without a beat others take the tasks
stopping = threading.Event()


def greet(db, payload):
    """Handlers may be called again after a crash. What they write with db is committed with the outcome."""
    print("hello", payload["name"], flush=True)


HANDLERS = {"greet": greet}
QUEUES, KINDS = ["mail"], list(HANDLERS)


def beat_until(lost, worker):
    """Beats on a connection of its own; whatever goes wrong, the worker must not go on under this name."""
    try:
        with psycopg.connect(autocommit=True) as db:
            while not lost.wait(BEAT):
                if not db.execute("select dibs.heartbeat(%s)", (worker,)).fetchone()[0]:
                    return
    finally:
        lost.set()


def run(db, task, lease, kind, payload):
    finish = "select dibs.finish(%s, %s, %s, error => %s)"
    try:
        with db.transaction():
            HANDLERS[kind](db, payload)
            if not db.execute(finish, (task, lease, "succeeded", None)).fetchone()[0]:
                raise psycopg.Rollback  # the lease was lost: what the handler wrote goes too
    except Exception as e:
        error = {"class": type(e).__name__, "message": str(e), "stack": traceback.format_exc()}
        db.execute(finish, (task, lease, "retry", Jsonb(error)))


def work(db, drain):
    """Works under one name until that is lost."""
    me = (socket.gethostname(), os.getpid(), QUEUES, KINDS)
    worker = db.execute("select dibs.register(%s, %s, %s, %s, 1, 'python')", me).fetchone()[0]
    lost = threading.Event()
    threading.Thread(target=beat_until, args=(lost, worker), daemon=True).start()
    try:
        while not stopping.is_set() and not lost.is_set():
            claim = "select id, lease, kind, payload from dibs.claim(%s, %s, %s, 1)"
            claimed = db.execute(claim, (worker, QUEUES, KINDS)).fetchall()
            for row in claimed:
                run(db, *row)
            if not claimed and drain:
                stopping.set()
            elif not claimed:
                stopping.wait(POLL)
    finally:
        lost.set()
        db.execute("select dibs.deregister(%s)", (worker,))  # gives back what is still held


signal.signal(signal.SIGTERM, lambda *_: stopping.set())
with psycopg.connect(autocommit=True) as connection:
    while not stopping.is_set():
        work(connection, "--drain" in sys.argv)

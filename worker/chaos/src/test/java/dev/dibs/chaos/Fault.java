package dev.dibs.chaos;

/** What befalls a fleet. */
enum Fault {
  KILL_WORKER("SIGKILL of a worker, started again later"),
  KILL_PRODUCER("SIGKILL of a producer, started again later"),
  FREEZE_WORKER("SIGSTOP of a worker until after its lease, then SIGCONT"),
  CRASH_SERVER("server stopped in the immediate mode, started again"),
  TERMINATE("pg_terminate_backend on many connections, several times"),
  DELAY("a network that takes its time"),
  SWALLOW("a network that swallows everything for a while"),
  RESET("all connections of a process reset"),
  CUT_REPLIES("answers cut off after the server did what it was asked"),
  LOCK("ACCESS EXCLUSIVE lock on task"),
  FAIL_OVER("primary lost, standby promoted");

  private final String meaning;

  Fault(String meaning) {
    this.meaning = meaning;
  }

  String meaning() {
    return meaning;
  }
}

package dev.dibs.sql;

import java.util.List;
import java.util.stream.Collectors;

/**
 * What several sessions do to one task, in whatever order: each its own steps one after the other.
 */
record Play(String name, Start start, List<Role> roles) {
  /** How the task stands when the play begins. Where it is held, the first worker holds it. */
  enum Start {
    PENDING,
    DUE,
    HELD,
    ORPHANED,
    /** Ended after its first attempt: only in history. */
    DEAD
  }

  /** One thing a session does. */
  interface Act {
    void by(Actor actor) throws Exception;
  }

  /**
   * A step.
   *
   * @param mayWait whether it may wait for a lock of another session
   */
  record Step(String name, boolean mayWait, Act act) {}

  /**
   * A session's part.
   *
   * @param holds whether it begins as the run that holds the task
   */
  record Role(boolean holds, List<Step> steps) {
    Role {
      steps = List.copyOf(steps);
    }
  }

  Play {
    roles = List.copyOf(roles);
  }

  static Play of(String name, Start start, Role... roles) {
    return new Play(name, start, List.of(roles));
  }

  static Role holder(Step... steps) {
    return new Role(true, List.of(steps));
  }

  static Role other(Step... steps) {
    return new Role(false, List.of(steps));
  }

  /** Every order of the steps, as the numbers of the roles in their turns. */
  List<List<Integer>> schedules() {
    return Merges.of(roles.stream().map(role -> role.steps().size()).toList());
  }

  /** A schedule in words, to be read and repeated. */
  String told(List<Integer> turns) {
    int[] next = new int[roles.size()];
    return turns.stream()
        .map(turn -> turn + "." + roles.get(turn).steps().get(next[turn]++).name())
        .collect(Collectors.joining(" "));
  }

  @Override
  public String toString() {
    return name;
  }
}

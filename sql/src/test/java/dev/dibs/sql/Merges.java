package dev.dibs.sql;

import java.util.ArrayList;
import java.util.List;

/** All ways in which several lists can be merged while each keeps its own order. */
final class Merges {
  private Merges() {}

  /** The merges of lists that are so long, each as the numbers of the lists in their turns. */
  static List<List<Integer>> of(List<Integer> lengths) {
    List<List<Integer>> merges = new ArrayList<>();
    merge(new ArrayList<>(lengths), new ArrayList<>(), merges);
    return merges;
  }

  private static void merge(List<Integer> left, List<Integer> turns, List<List<Integer>> merges) {
    if (left.stream().allMatch(steps -> steps == 0)) merges.add(List.copyOf(turns));
    for (int i = 0; i < left.size(); i++) {
      if (left.get(i) == 0) continue;
      left.set(i, left.get(i) - 1);
      turns.add(i);
      merge(left, turns, merges);
      turns.removeLast();
      left.set(i, left.get(i) + 1);
    }
  }
}

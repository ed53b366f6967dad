package dev.dibs.chaos;

import dev.dibs.chaos.Violation.Promise;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Walks through each task's life in the order of the audit: each step follows from the one before,
 * is one of those that are legal, and was taken by who may take it.
 *
 * <p>A run may be ended or put off by the process that holds it, under its own lease; it may be
 * taken away, with one loss more, only from a worker that was declared dead or has no row.
 */
final class LifeCheck {
  private final Audit audit;
  private final Owners owners;
  private final List<Violation> found = new ArrayList<>();

  LifeCheck(History history) {
    this.audit = history.audit();
    this.owners = new Owners(audit.lives());
  }

  List<Violation> check() {
    Map<UUID, List<Audit.Change>> lives = new LinkedHashMap<>();
    for (Audit.Change change : audit.changes())
      lives.computeIfAbsent(change.id(), any -> new ArrayList<>()).add(change);
    lives.values().forEach(this::walk);
    return found;
  }

  private void walk(List<Audit.Change> life) {
    Audit.@Nullable Row now = null;
    Map<Long, Audit.Change> deleted = new HashMap<>();
    for (Audit.Change change : life) {
      if (change.is("history")) {
        Audit.@Nullable Change end = deleted.remove(change.txid());
        if (end == null)
          wrong(Promise.ONE_COMPLETION, change, "went to history without leaving the queue");
        else ended(end, change);
        continue;
      }
      if (change.before() != null && !change.before().equals(now))
        wrong(Promise.MUTUAL_EXCLUSION, change, "does not follow from " + now);
      if (change.is("insert") && now != null)
        wrong(Promise.ONE_COMPLETION, change, "was inserted while it was there");
      if (change.is("update")) step(change);
      if (change.is("delete")) deleted.put(change.txid(), change);
      now = change.after();
    }
    for (Audit.Change left : deleted.values())
      wrong(Promise.NO_LOSS, left, "left the queue and is not in history");
  }

  private void step(Audit.Change change) {
    Audit.Row before = required(change.before());
    Audit.Row after = required(change.after());
    switch (before.status() + " " + after.status()) {
      case "PENDING PROCESSING" -> claimed(change, before, after);
      case "SCHEDULED PENDING" -> {
        if (before.attempt() != after.attempt())
          wrong(Promise.OWNERSHIP, change, "was promoted with another attempt");
      }
      case "PROCESSING PENDING", "PROCESSING SCHEDULED" -> givenBack(change, before, after);
      default -> {
        if (!before.equals(after)) wrong(Promise.MUTUAL_EXCLUSION, change, "is no legal step");
      }
    }
  }

  private void claimed(Audit.Change change, Audit.Row before, Audit.Row after) {
    if (after.attempt() != before.attempt() + 1)
      wrong(Promise.OWNERSHIP, change, "was claimed without one attempt more");
    Optional<String> owner = owners.of(after.worker());
    if (owner.isPresent() && !owner.get().equals(change.actor()))
      wrong(Promise.OWNERSHIP, change, "was claimed in the name of " + owner.get());
  }

  private void givenBack(Audit.Change change, Audit.Row before, Audit.Row after) {
    if (after.losses() == before.losses()) byHolder(change, before, "was given back");
    else fromTheDead(change, before, after.losses());
  }

  private void ended(Audit.Change end, Audit.Change history) {
    Audit.Row before = required(end.before());
    Audit.Row after = required(history.after());
    if (!before.is("PROCESSING")) {
      wrong(Promise.OWNERSHIP, end, "ended though nobody held it");
    } else if (after.losses() != before.losses()) {
      fromTheDead(end, before, after.losses());
    } else if (before.lease() == null || !before.lease().equals(after.lease())) {
      wrong(Promise.OWNERSHIP, history, "ended under another lease than it was held by");
    } else {
      byHolder(end, before, "was ended as " + after.status());
    }
  }

  private void byHolder(Audit.Change change, Audit.Row before, String what) {
    Optional<String> owner = owners.of(before.worker());
    if (owner.isPresent() && !owner.get().equals(change.actor()))
      wrong(Promise.OWNERSHIP, change, "%s while %s held it".formatted(what, owner.get()));
  }

  private void fromTheDead(Audit.Change change, Audit.Row before, int losses) {
    if (losses != before.losses() + 1)
      wrong(Promise.OWNERSHIP, change, "was rescued with " + losses + " losses");
    if (owners.isAlive(before.worker(), change.seq()))
      wrong(
          Promise.OWNERSHIP,
          change,
          "was taken from %s, which is alive".formatted(owners.of(before.worker()).orElse("?")));
  }

  private static Audit.Row required(Audit.@Nullable Row row) {
    if (row == null) throw new IllegalStateException("the audit has no row where one must be");
    return row;
  }

  private void wrong(Promise promise, Audit.Change change, String what) {
    found.add(
        new Violation(
            promise, change.id(), "%s, by %s at %d".formatted(what, change.actor(), change.seq())));
  }
}

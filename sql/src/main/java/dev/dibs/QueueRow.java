package dev.dibs;

import java.util.Optional;

/**
 * A queue that is known: it has tasks that are ready, is served, or was steered by hand. Immutable.
 *
 * @param pause empty: its tasks are claimed
 * @param workers how many live processes serve it
 */
public record QueueRow(String name, Optional<Pause> pause, Retention retention, int workers) {}

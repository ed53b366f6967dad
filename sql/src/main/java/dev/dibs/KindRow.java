package dev.dibs;

import java.util.Optional;

/**
 * A kind that a live process knows, or that was paused once. Immutable.
 *
 * @param pause empty: its tasks are claimed
 * @param workers how many live processes know it
 */
public record KindRow(String name, Optional<Pause> pause, int workers) {}

package dev.dibs;

import java.time.Instant;

/**
 * Since when, by whom and why a queue or a kind is not claimed from, or a worker takes no tasks.
 */
public record Pause(Instant at, String by, String why) {}

package dev.dibs.producer;

import java.util.UUID;

/**
 * A task that is in the queue.
 *
 * @param inserted false if a task of this id was there already and was left as it is
 */
public record Enqueued(UUID id, boolean inserted) {}

package dev.dibs.producer;

import java.util.UUID;

/**
 * A task that is in the queue.
 *
 * @param inserted false if a task of this id was there already and was left as it is; also if the
 *     connection broke and it turned out that this very enqueue had been committed
 */
public record Enqueued(UUID id, boolean inserted) {}

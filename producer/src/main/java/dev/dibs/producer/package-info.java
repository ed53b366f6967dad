/**
 * The way in: {@link dev.dibs.producer.Producer} enqueues tasks, {@link
 * dev.dibs.producer.CoalescingProducer} those of many threads in few commits.
 */
@NullMarked
package dev.dibs.producer;

import org.jspecify.annotations.NullMarked;

/**
 * The way in: {@link dev.dibs.producer.Producer} enqueues tasks, {@link
 * dev.dibs.producer.CoalescingProducer} those of many threads in few commits; {@link
 * dev.dibs.producer.Canceller} calls them off, {@link dev.dibs.producer.Schedules} brings them
 * again and again.
 */
@NullMarked
package dev.dibs.producer;

import org.jspecify.annotations.NullMarked;

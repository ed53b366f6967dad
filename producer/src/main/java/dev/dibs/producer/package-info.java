/** The way in: {@link dev.dibs.producer.Producer} enqueues tasks. */
@NullMarked
package dev.dibs.producer;

import org.jspecify.annotations.NullMarked;

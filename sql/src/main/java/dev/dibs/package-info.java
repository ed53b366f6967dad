/**
 * The words of Dibs: what a task is, before anybody moves it.
 *
 * <p>Start with {@link Kind}; a {@link NewTask} goes in through a producer, an {@link Outcome}
 * comes back from a handler. Nothing here knows the database.
 */
@NullMarked
package dev.dibs;

import org.jspecify.annotations.NullMarked;

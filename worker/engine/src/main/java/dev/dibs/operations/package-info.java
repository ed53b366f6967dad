/**
 * What people do to queues, kinds, tasks and workers, and what they see of them: {@link
 * dev.dibs.operations.Operations}, under the command line, the console and whoever embeds it.
 * {@link dev.dibs.operations.Explainer} says why a task is not running, {@link
 * dev.dibs.operations.Doctor} what is wrong with the whole.
 */
@NullMarked
package dev.dibs.operations;

import org.jspecify.annotations.NullMarked;

/**
 * What people do to queues, kinds, tasks and workers, and what they see of them: {@link
 * dev.dibs.operations.Operations}, under the command line, the console and whoever embeds it.
 */
@NullMarked
package dev.dibs.operations;

import org.jspecify.annotations.NullMarked;

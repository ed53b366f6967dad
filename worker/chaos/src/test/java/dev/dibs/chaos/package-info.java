/**
 * Dibs under faults: real worker and producer processes on a real server, and a judge that shares
 * no code with them.
 *
 * <p>Start with {@link dev.dibs.chaos.ChaosRun}: it sets a {@link dev.dibs.chaos.Stage}, lets
 * {@link dev.dibs.chaos.Faults} loose on it and asks the {@link dev.dibs.chaos.Checker}.
 */
@NullMarked
package dev.dibs.chaos;

import org.jspecify.annotations.NullMarked;

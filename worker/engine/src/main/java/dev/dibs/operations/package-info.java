/**
 * What an operator asks and does: why a task is not running, and what is wrong with the whole.
 *
 * <p>Public: Explainer with Explanation, Doctor with Finding.
 */
@NullMarked
package dev.dibs.operations;

import org.jspecify.annotations.NullMarked;

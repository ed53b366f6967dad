/**
 * Measures Dibs on a real database, beside what plain JDBC can do with the same rows in the same
 * run.
 *
 * <p>Public: {@link dev.dibs.bench.Bench}, {@link dev.dibs.bench.BenchDatabase}, {@link
 * dev.dibs.bench.Measurement}.
 */
@NullMarked
package dev.dibs.bench;

import org.jspecify.annotations.NullMarked;

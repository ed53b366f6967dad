/**
 * The statements of Dibs: one verb, one class, built with jOOQ from the generated schema.
 *
 * <p>For the modules of Dibs; users meet {@link dev.dibs.sql.Schema} and {@link
 * dev.dibs.sql.Migrations}. Every write that ends, delays or reports on a run matches the task's id
 * and lease and says what it did not find.
 */
@NullMarked
package dev.dibs.sql;

import org.jspecify.annotations.NullMarked;

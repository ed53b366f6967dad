/**
 * A console over a database of its own, for the tests of pages and of what browsers make of them.
 */
@NullMarked
package dev.dibs.console.testing;

import org.jspecify.annotations.NullMarked;

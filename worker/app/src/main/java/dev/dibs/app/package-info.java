/** The runnable: {@link dev.dibs.app.Dibs} is the command line, everything else serves it. */
@NullMarked
package dev.dibs.app;

import org.jspecify.annotations.NullMarked;

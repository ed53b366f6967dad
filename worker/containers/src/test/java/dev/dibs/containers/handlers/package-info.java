/** What a user of the image copies into it: a jar with handlers. */
@NullMarked
package dev.dibs.containers.handlers;

import org.jspecify.annotations.NullMarked;

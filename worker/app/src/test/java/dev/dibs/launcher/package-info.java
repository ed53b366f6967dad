@NullMarked
package dev.dibs.launcher;

import org.jspecify.annotations.NullMarked;

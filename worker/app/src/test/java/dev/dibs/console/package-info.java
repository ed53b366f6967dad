@NullMarked
package dev.dibs.console;

import org.jspecify.annotations.NullMarked;

@NullMarked
package dev.dibs.app;

import org.jspecify.annotations.NullMarked;

@NullMarked
package dev.dibs;

import org.jspecify.annotations.NullMarked;

@NullMarked
package dev.dibs.bench;

import org.jspecify.annotations.NullMarked;

@NullMarked
package dev.dibs.worker;

import org.jspecify.annotations.NullMarked;

@NullMarked
package dev.dibs.operations;

import org.jspecify.annotations.NullMarked;

@NullMarked
package dev.dibs.producer;

import org.jspecify.annotations.NullMarked;

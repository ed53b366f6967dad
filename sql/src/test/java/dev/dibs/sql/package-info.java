@NullMarked
package dev.dibs.sql;

import org.jspecify.annotations.NullMarked;

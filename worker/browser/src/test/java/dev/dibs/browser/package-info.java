@NullMarked
package dev.dibs.browser;

import org.jspecify.annotations.NullMarked;

/**
 * The console: pages in a browser over the operations of the engine. Start it with {@link
 * dev.dibs.console.Console}; {@link dev.dibs.console.ConsoleSettings} says where it listens and who
 * may do what. The pages themselves are in {@code src/main/jte} and become classes of this package.
 *
 * <p>The way of a request: {@link dev.dibs.console.Console} admits it, {@code Router} finds who
 * answers it, and a class named for the pages it serves reads, and renders a template.
 */
@NullMarked
package dev.dibs.console;

import org.jspecify.annotations.NullMarked;

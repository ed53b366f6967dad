/**
 * The image of dibs as its users run it: containers on a network of their own, killed, paused, cut
 * off and replaced.
 *
 * <p>Start with {@link dev.dibs.containers.ContainersTest}; a {@link dev.dibs.containers.Fleet} is
 * what it works on, and the {@link dev.dibs.containers.Ledger} what it judges by.
 */
@NullMarked
package dev.dibs.containers;

import org.jspecify.annotations.NullMarked;

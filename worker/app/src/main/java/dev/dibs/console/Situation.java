package dev.dibs.console;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * What all pages say of the database.
 *
 * @param database where it is, and whether it is a replica
 * @param ahead how far its clock is ahead of ours
 * @param readOnlyBecause why nothing can be changed, if nothing can
 * @param findings how many of doctor's findings need a person; empty: not looked yet
 * @param awaySince when it was last heard of, if it does not answer
 */
record Situation(
    String database,
    Duration ahead,
    Optional<String> readOnlyBecause,
    Optional<Integer> findings,
    Optional<Instant> awaySince) {}

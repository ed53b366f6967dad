package dev.dibs.containers.handlers;

/**
 * What a task of kind {@code work} asks for.
 *
 * @param millis how long it takes
 */
public record Work(long millis) {}

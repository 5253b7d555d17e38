package dev.quern.llama.observe;

/// What a step of an engine was.
///
/// @param waiting requests in the queue behind it
/// @param running sequences that it began with
/// @param rows of its batch
/// @param prompts of these, rows of prompts
/// @param generated tokens that were chosen
/// @param guessed tokens that were guessed
/// @param accepted of these, those that were right
/// @param unguessed tokens that might have been guessed, but guesses had not paid
/// @param kvBytes of all KV caches
/// @param nanos it took
public record EngineStep(
    int waiting,
    int running,
    int rows,
    int prompts,
    int generated,
    int guessed,
    int accepted,
    int unguessed,
    long kvBytes,
    long nanos) {}

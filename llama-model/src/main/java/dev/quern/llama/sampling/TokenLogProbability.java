package dev.quern.llama.sampling;

/// How likely the model holds a token.
///
/// @param token its id
/// @param logProbability natural logarithm of its probability; at most 0
/// @since 0.1
/// @stability api
public record TokenLogProbability(int token, double logProbability) {}

package dev.quern.llama;

/// An application's say in which token comes next. It is asked once for each token, in their order,
/// on the thread that chooses: in a session the caller's, in an engine one of the model's threads,
/// where it holds up all requests. Guessed tokens are asked about in their turn, so that the text
/// is what it is without guesses.
///
/// What it throws ends the generation, and in an engine that request alone.
///
/// @since 0.1
/// @stability api
@FunctionalInterface
public interface LogitsHook {
  /// Looks at a token's logits, and may change them. It comes before a constraint, biases,
  /// penalties and filters, and log probabilities are the model's, as without it.
  ///
  /// @param tokens ids of all before: the prompt's and the generated ones; a copy
  /// @param logits `[vocabulary]`, F32, finite or negative infinity, which forbids a token; at
  ///   least one must stay finite
  void change(int[] tokens, float[] logits);
}

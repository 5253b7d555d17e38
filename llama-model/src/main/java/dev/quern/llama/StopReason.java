package dev.quern.llama;

/// Why a generation ended.
///
/// @since 0.1
/// @stability api
public enum StopReason {
  /// The model said that the text, or its turn, is over; or a constraint allows nothing behind it.
  END_OF_TEXT,
  /// A stop token of the options came.
  STOP_TOKEN,
  /// A stop string of the options came.
  STOP_STRING,
  /// As many tokens as were asked for.
  MAX_TOKENS,
  /// The KV cache is full.
  CONTEXT_FULL,
  /// [Cancellation#cancel()] or [LlamaSession#cancel()] was called, the session or the model was
  /// closed, the thread was interrupted, or whoever heard a token wanted no more.
  CANCELLED,
  /// The time that [EngineRequest#deadline()] gave was over.
  DEADLINE
}

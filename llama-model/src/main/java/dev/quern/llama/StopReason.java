package dev.quern.llama;

/// Why a generation ended.
public enum StopReason {
  /// The model said that the text, or its turn, is over.
  END_OF_TEXT,
  /// A stop token of the options came.
  STOP_TOKEN,
  /// As many tokens as were asked for.
  MAX_TOKENS,
  /// The KV cache is full.
  CONTEXT_FULL,
  /// [LlamaSession#cancel()] was called, or the thread was interrupted.
  CANCELLED
}

package dev.quern.llama.chat;

/// Whether a reply calls tools.
///
/// @since 0.1
/// @stability api
public sealed interface ToolChoice {
  /// The model decides: its reply is text, calls, or both.
  ToolChoice AUTO = Mode.AUTO;

  /// It calls none, and is told of none.
  ToolChoice NONE = Mode.NONE;

  /// It is a call of one of the tools, with arguments that fit the tool's schema.
  ToolChoice REQUIRED = Mode.REQUIRED;

  /// It is a call of this tool, with arguments that fit its schema.
  static ToolChoice named(String tool) {
    return new Named(tool);
  }

  /// See the constants of [ToolChoice].
  enum Mode implements ToolChoice {
    AUTO,
    NONE,
    REQUIRED
  }

  /// See [ToolChoice#named].
  record Named(String tool) implements ToolChoice {}
}

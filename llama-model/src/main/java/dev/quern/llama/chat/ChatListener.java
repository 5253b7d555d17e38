package dev.quern.llama.chat;

import dev.quern.llama.Piece;
import dev.quern.llama.tokenizer.ChatMessage.ToolCall;

/// Hears a reply as it comes, on a thread of the request's own, one call after the other. A lambda
/// hears the text.
///
/// A tool call comes in parts: its beginning, its arguments, its end. Where the model's frame has
/// name or id behind the arguments, all three come at once, when the call is whole.
///
/// @since 0.1
/// @stability api
@FunctionalInterface
public interface ChatListener {
  /// A part of the text, with the tokens whose text it is. Nothing of a call or of a thought is
  /// text: what may turn out to begin one is held back, and so is white space before it.
  void text(Piece piece);

  /// A part of what the model thinks before it speaks.
  default void thought(Piece piece) {}

  /// A call has begun.
  ///
  /// @param index of the call, from 0
  /// @param id that its end will have
  default void callBegins(int index, String id, String name) {}

  /// A part of its arguments. All parts together are a JSON object, as the model writes it.
  default void callArguments(int index, String part) {}

  /// A call is whole.
  default void callEnds(int index, ToolCall call) {}

  /// A call that has begun is none: it was cut off, or its arguments are no JSON. What the model
  /// wrote is text, which is heard now. A later call has another index.
  default void callBreaks(int index) {}
}

package dev.quern.serve.answer;

import dev.quern.llama.Piece;
import dev.quern.llama.chat.ChatListener;
import dev.quern.llama.tokenizer.ChatMessage.ToolCall;

/// Passes on a reply with its first call alone.
final class FirstCall implements ChatListener {
  private final ChatListener listener;
  private int first; // index of the call that is passed on

  FirstCall(ChatListener listener) {
    this.listener = listener;
  }

  @Override
  public void text(Piece piece) {
    listener.text(piece);
  }

  @Override
  public void thought(Piece piece) {
    listener.thought(piece);
  }

  @Override
  public void callBegins(int index, String id, String name) {
    if (index == first) {
      listener.callBegins(index, id, name);
    }
  }

  @Override
  public void callArguments(int index, String part) {
    if (index == first) {
      listener.callArguments(index, part);
    }
  }

  @Override
  public void callEnds(int index, ToolCall call) {
    if (index == first) {
      listener.callEnds(index, call);
    }
  }

  @Override
  public void callBreaks(int index) {
    if (index == first) {
      listener.callBreaks(index);
      first++;
    }
  }
}

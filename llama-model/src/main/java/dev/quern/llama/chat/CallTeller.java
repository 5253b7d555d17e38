package dev.quern.llama.chat;

import dev.quern.llama.tokenizer.ChatMessage.ToolCall;
import java.util.List;

/// Tells a listener of calls, in parts where they are known to be some before they are whole.
final class CallTeller {
  private static final int NOTHING = -1;

  private final ChatListener listener;
  private int index; // of the call that is told, or will be next
  private int whole; // calls of the frame that is open now which were told to their end
  private CallParser.Part begun; // null where none is
  private int told = NOTHING; // up to where of the reply its arguments were told

  CallTeller(ChatListener listener) {
    this.listener = listener;
  }

  /// What a frame has so far.
  ///
  /// @param reply all of it
  void tell(CharSequence reply, CallParser.Found found) {
    List<ToolCall> calls = found.calls();
    for (; whole < calls.size(); whole++) {
      end(reply, calls.get(whole));
    }
    found.part().ifPresent(part -> part(reply, part));
    if (!found.isOpen()) {
      breakOff();
      whole = 0;
    }
  }

  private void part(CharSequence reply, CallParser.Part part) {
    if (begun == null) {
      begun = part;
      told = part.arguments();
      listener.callBegins(index, part.id(), part.name());
    }
    arguments(reply);
  }

  private void arguments(CharSequence reply) {
    int end = CallParser.endOfObject(reply, begun.arguments());
    int to = FrameText.beforeToken(reply, told, end < 0 ? reply.length() : end);
    if (to > told) {
      listener.callArguments(index, reply.subSequence(told, to).toString());
      told = to;
    }
  }

  private void end(CharSequence reply, ToolCall call) {
    boolean same =
        begun != null && begun.id().equals(call.id()) && begun.name().equals(call.name());
    if (same) {
      arguments(reply);
      begun = null;
    } else {
      breakOff(); // a name that is written twice
      listener.callBegins(index, call.id(), call.name());
      listener.callArguments(index, call.argumentsJson());
    }
    listener.callEnds(index, call);
    index++;
  }

  private void breakOff() {
    if (begun != null) {
      begun = null;
      listener.callBreaks(index);
      index++;
    }
  }
}

package dev.quern.llama.chat;

import dev.quern.llama.Generation;
import dev.quern.llama.Piece;
import dev.quern.llama.PieceListener;
import dev.quern.llama.tokenizer.ChatMessage.ToolCall;
import dev.quern.llama.tokenizer.Tokenizer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/// Tells a reply's text from its calls while it comes: text is handed on as soon as it can't be the
/// beginning of a call any more. For one thread at a time; what it has found is for any, once the
/// reply has ended.
final class ReplyReader implements PieceListener {
  /// A piece that was not handed on as a whole.
  ///
  /// @param from where it begins in the reply
  /// @param to where it ends, its control tokens included
  private record Held(Piece piece, int from, int to) {
    int textEnd() {
      return from + piece.text().length();
    }
  }

  private final Tokenizer tokenizer;
  private final Optional<CallParser> parser;
  private final String trigger; // what a call begins with; empty where nothing does
  private final Consumer<Piece> listener;
  private final StringBuilder reply = new StringBuilder(); // as FrameText has it
  private final Deque<Held> held = new ArrayDeque<>();
  private final StringBuilder text = new StringBuilder();
  private final List<ToolCall> calls = new ArrayList<>();
  private int handled; // characters of the reply that were handed on, or left out
  private int searched; // before which no call begins
  private boolean behindCall; // and there was nothing else since

  /// @param frame of calls, if there may be some
  ReplyReader(Tokenizer tokenizer, Optional<ToolFrame> frame, Consumer<Piece> listener) {
    this.tokenizer = tokenizer;
    this.listener = listener;
    parser = frame.map(CallParser::new);
    trigger = frame.map(ReplyReader::trigger).orElse("");
  }

  /// A frame's beginning, as far as it is the same in each call and has no white space.
  private static String trigger(ToolFrame frame) {
    String begin = frame.begin().strip();
    int end = 0;
    while (end < begin.length()
        && !Character.isWhitespace(begin.charAt(end))
        && begin.charAt(end) != FrameText.ID
        && begin.charAt(end) != FrameText.INDEX) {
      end++;
    }
    return begin.substring(0, end);
  }

  /// The reply's text so far, without calls.
  String text() {
    return text.toString();
  }

  /// The calls so far.
  List<ToolCall> calls() {
    return List.copyOf(calls);
  }

  @Override
  public void accept(Piece piece) {
    if (parser.isEmpty()) {
      text.append(piece.text());
      listener.accept(piece);
      return;
    }
    int from = reply.length();
    reply.append(piece.text());
    for (int token : piece.tokens()) {
      if (tokenizer.isHidden(token)) {
        reply.append(FrameText.token(tokenizer.text(token)));
      }
    }
    held.add(new Held(piece, from, reply.length()));
    look(false);
  }

  @Override
  public void end(Generation generation) {
    if (parser.isPresent()) {
      look(true);
    }
  }

  /// Hands on what is text, and takes calls out.
  ///
  /// @param last whether the reply has ended
  private void look(boolean last) {
    while (true) {
      if (behindCall) { // white space there is its frame's
        leaveOut(handled);
        behindCall = handled == reply.length();
        searched = Math.max(searched, handled);
      }
      int at = beginning();
      if (at < 0) {
        int end = last ? reply.length() : undecided();
        show(end);
        searched = Math.max(searched, end);
        return;
      }
      CallParser.Found found = parser.get().read(reply, at, last);
      if (found.isOpen()) {
        show(beforeSpace(at));
        searched = at;
        return;
      }
      if (found.isText()) {
        searched = at + 1;
        continue;
      }
      show(beforeSpace(at));
      calls.addAll(found.calls());
      leaveOut(found.end());
      behindCall = true;
    }
  }

  /// Where a call may begin; negative where none does so far.
  private int beginning() {
    if (!trigger.isEmpty()) {
      return reply.indexOf(trigger, searched);
    }
    int at = FrameText.behindTokens(reply);
    return searched <= at && at < reply.length() && reply.charAt(at) == '{' ? at : -1;
  }

  /// Where text begins that may turn out to be a call's beginning, or the space before one.
  private int undecided() {
    int end = reply.length();
    for (int n = Math.min(trigger.length() - 1, end - searched); n > 0; n--) {
      if (trigger.startsWith(reply.substring(end - n))) {
        end -= n;
        break;
      }
    }
    return beforeSpace(end);
  }

  /// Where the white space before a place begins, as far as it was not handed on.
  private int beforeSpace(int at) {
    int from = at;
    while (from > handled && Character.isWhitespace(reply.charAt(from - 1))) {
      from--;
    }
    return from;
  }

  /// Hands on the reply up to a place.
  private void show(int to) {
    while (!held.isEmpty() && (handled < to || held.peek().to() <= to)) {
      Held h = held.peek();
      int textEnd = Math.clamp(to, h.from(), h.textEnd());
      String part = handled < textEnd ? reply.substring(Math.max(handled, h.from()), textEnd) : "";
      boolean whole = h.to() <= to;
      text.append(part);
      if (whole) {
        held.remove();
        listener.accept(new Piece(part, h.piece().tokens(), h.piece().logProbabilities()));
      } else if (!part.isEmpty()) {
        listener.accept(new Piece(part, List.of(), List.of()));
      }
      handled = Math.max(handled, Math.min(to, h.to()));
    }
  }

  /// Passes over the reply up to a place, and white space behind it.
  private void leaveOut(int to) {
    int end = to;
    while (end < reply.length() && Character.isWhitespace(reply.charAt(end))) {
      end++;
    }
    handled = Math.max(handled, end);
    held.removeIf(h -> h.to() <= handled);
  }
}

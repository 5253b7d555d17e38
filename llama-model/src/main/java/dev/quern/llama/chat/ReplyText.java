package dev.quern.llama.chat;

import dev.quern.llama.Piece;
import dev.quern.llama.tokenizer.Tokenizer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.function.Consumer;

/// A reply as far as it has come, as [FrameText] has it, and how far it was handed on or left out.
final class ReplyText {
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
  private final StringBuilder all = new StringBuilder();
  private final Deque<Held> held = new ArrayDeque<>();
  private int handled; // characters that were handed on, or left out

  ReplyText(Tokenizer tokenizer) {
    this.tokenizer = tokenizer;
  }

  /// What has come.
  CharSequence all() {
    return all;
  }

  int length() {
    return all.length();
  }

  /// Up to where it was handed on, or left out.
  int handled() {
    return handled;
  }

  void add(Piece piece) {
    int from = all.length();
    all.append(piece.text());
    for (int token : piece.tokens()) {
      if (tokenizer.isHidden(token)) {
        all.append(FrameText.token(tokenizer.text(token)));
      }
    }
    held.add(new Held(piece, from, all.length()));
  }

  /// Hands on the reply up to a place.
  void handOn(int to, Consumer<Piece> listener) {
    while (!held.isEmpty() && (handled < to || held.peek().to() <= to)) {
      Held h = held.peek();
      int textEnd = Math.clamp(to, h.from(), h.textEnd());
      String part = handled < textEnd ? all.substring(Math.max(handled, h.from()), textEnd) : "";
      if (h.to() <= to) {
        held.remove();
        listener.accept(new Piece(part, h.piece().tokens(), h.piece().logProbabilities()));
      } else if (!part.isEmpty()) {
        listener.accept(new Piece(part, List.of(), List.of()));
      }
      handled = Math.max(handled, Math.min(to, h.to()));
    }
  }

  /// Passes over the reply up to a place, and white space behind it.
  void leaveOut(int to) {
    int end = to;
    while (end < all.length() && Character.isWhitespace(all.charAt(end))) {
      end++;
    }
    handled = Math.max(handled, end);
    held.removeIf(h -> h.to() <= handled);
  }

  /// Where the first of some texts begins, from a place on; negative where there is none.
  int find(List<String> texts, int from) {
    return texts.stream()
        .mapToInt(text -> all.indexOf(text, from))
        .filter(at -> at >= 0)
        .min()
        .orElse(-1);
  }

  /// Where what has come may begin one of some texts that goes on, or the space before one.
  ///
  /// @param from before which none begins
  int undecided(List<String> texts, int from) {
    int end = all.length();
    for (String text : texts) {
      for (int n = Math.min(text.length() - 1, all.length() - from); n > 0; n--) {
        if (text.startsWith(all.substring(all.length() - n))) {
          end = Math.min(end, all.length() - n);
          break;
        }
      }
    }
    return beforeSpace(end);
  }

  /// Where the white space before a place begins, as far as it was not handed on.
  int beforeSpace(int at) {
    int from = at;
    while (from > handled && Character.isWhitespace(all.charAt(from - 1))) {
      from--;
    }
    return from;
  }
}

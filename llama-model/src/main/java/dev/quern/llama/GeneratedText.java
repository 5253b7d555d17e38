package dev.quern.llama;

import dev.quern.llama.sampling.LogProbabilities;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/// The text of one generation on its way to the caller, up to a stop string.
final class GeneratedText {
  private static final int OPEN = Integer.MAX_VALUE;

  /// A place between two tokens where no character is cut.
  ///
  /// @param tokens generated tokens before it
  /// @param characters of their text
  record Boundary(int tokens, int characters) {}

  /// What a stop string leaves of a generation.
  ///
  /// @param tokens generated tokens that stay whole
  /// @param text that was handed on behind them, of a token that the stop string cuts
  record Kept(int tokens, String text) {}

  /// A token that was not handed on.
  ///
  /// @param end of its text, in characters; [#OPEN] where it ends within a character
  private record Waiting(int token, Optional<LogProbabilities> logProbabilities, int end) {
    Waiting endingAt(int end) {
      return new Waiting(token, logProbabilities, end);
    }
  }

  private final SessionText session;
  private final StopStrings stops;
  private final PieceListener listener;
  private final StringBuilder text = new StringBuilder(); // of all tokens
  private final List<Boundary> boundaries = new ArrayList<>();
  private final Deque<Waiting> waiting = new ArrayDeque<>();
  private int said; // characters
  private int tokens;

  /// @param listener hears what is safe to hand on
  GeneratedText(SessionText session, List<String> stops, PieceListener listener) {
    this.session = session;
    this.stops = new StopStrings(stops);
    this.listener = listener;
  }

  /// Takes a token.
  ///
  /// @return whether its text completes a stop string
  boolean completes(int token, Optional<LogProbabilities> logProbabilities) {
    if (!session.isWithinCharacter()) {
      boundaries.add(new Boundary(tokens, text.length()));
    }
    tokens++;
    String piece = session.next(token);
    text.append(piece);
    if (!piece.isEmpty()) { // characters that were open are complete
      close();
    }
    int end = session.isWithinCharacter() ? OPEN : text.length();
    waiting.add(new Waiting(token, logProbabilities, end));
    stops.next(piece);
    emit(stops.released());
    return stops.found();
  }

  /// The text of all tokens so far ends here.
  private void close() {
    for (int i = waiting.size(); i > 0; i--) {
      Waiting w = waiting.remove();
      waiting.add(w.end() == OPEN ? w.endingAt(text.length()) : w);
    }
  }

  /// Hands on what was held back. A character that is not complete is, unless the text is over: a
  /// later call may complete it.
  void end(boolean textIsOver) {
    if (textIsOver) {
      String last = session.finish();
      text.append(last);
      stops.next(last);
    }
    stops.rest();
    close();
    emit(stops.released());
  }

  /// What stays before the stop string that was found.
  Kept kept() {
    int end = stops.released();
    return boundaries.reversed().stream()
        .filter(b -> b.characters() <= end)
        .findFirst()
        .map(b -> new Kept(b.tokens(), text.substring(b.characters(), end)))
        .orElse(new Kept(0, "")); // within a character that an earlier call began
  }

  /// Hands on text, cut where tokens end, with the tokens that end there.
  ///
  /// @param released characters that may be
  private void emit(int released) {
    while (!waiting.isEmpty() && waiting.peek().end() <= released) {
      int end = waiting.peek().end();
      List<Integer> ids = new ArrayList<>();
      List<LogProbabilities> logProbabilities = new ArrayList<>();
      boolean hidden = end == said;
      do { // one, but for those that share a character
        Waiting w = waiting.remove();
        ids.add(w.token());
        w.logProbabilities().ifPresent(logProbabilities::add);
      } while (!hidden && !waiting.isEmpty() && waiting.peek().end() == end && sharesCharacter());
      listener.accept(new Piece(text.substring(said, end), ids, logProbabilities));
      said = end;
    }
    if (said < released) {
      listener.accept(new Piece(text.substring(said, released), List.of(), List.of()));
      said = released;
    }
  }

  private boolean sharesCharacter() {
    return !session.tokenizer().isHidden(waiting.peek().token());
  }
}

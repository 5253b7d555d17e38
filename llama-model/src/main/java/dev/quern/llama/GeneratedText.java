package dev.quern.llama;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/// The text of one generation on its way to the caller, up to a stop string.
final class GeneratedText {
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

  private final SessionText session;
  private final StopStrings stops;
  private final Consumer<String> listener;
  private final StringBuilder text = new StringBuilder(); // of all tokens
  private final List<Boundary> boundaries = new ArrayList<>();
  private int tokens;

  /// @param listener hears what is safe to hand on, never an empty piece
  GeneratedText(SessionText session, List<String> stops, Consumer<String> listener) {
    this.session = session;
    this.stops = new StopStrings(stops);
    this.listener = listener;
  }

  /// Takes a token.
  ///
  /// @return whether its text completes a stop string
  boolean completes(int token) {
    if (!session.isWithinCharacter()) {
      boundaries.add(new Boundary(tokens, text.length()));
    }
    tokens++;
    String piece = session.next(token);
    text.append(piece);
    emit(stops.next(piece));
    return stops.found();
  }

  /// Hands on what was held back. A character that is not complete is, unless the text is over: a
  /// later call may complete it.
  void end(boolean textIsOver) {
    if (textIsOver) {
      emit(stops.next(session.finish()));
    }
    emit(stops.rest());
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

  private void emit(String piece) {
    if (!piece.isEmpty()) {
      listener.accept(piece);
    }
  }
}

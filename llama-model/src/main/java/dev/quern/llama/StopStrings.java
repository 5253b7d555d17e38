package dev.quern.llama;

import java.util.List;

/// Looks for stop strings in a text that comes in pieces. What may turn out to be the beginning of
/// one is held back. The first to be complete counts, and of those that are complete at the same
/// character the longest; so the result does not depend on how the text is cut.
final class StopStrings {
  private static final int NONE = -1;

  private final List<String> stops;
  private String held = "";
  private int released; // characters that were handed on
  private boolean found;

  StopStrings(List<String> stops) {
    this.stops = stops;
  }

  /// Takes the next piece of the text.
  ///
  /// @return what may be handed on by now: nothing of a stop string, and nothing behind one
  String next(String piece) {
    if (found) {
      return "";
    }
    String text = held + piece;
    int start = start(text);
    found = start != NONE;
    int safe = found ? start : text.length() - undecided(text);
    held = found ? "" : text.substring(safe);
    released += safe;
    return text.substring(0, safe);
  }

  /// Whether a stop string is complete.
  boolean found() {
    return found;
  }

  /// Characters before the stop string that was found; otherwise before what is held back.
  int released() {
    return released;
  }

  /// What was held back: there is no more text that could complete it.
  String rest() {
    String rest = held;
    held = "";
    released += rest.length();
    return rest;
  }

  /// Where the stop string that is complete first begins.
  private int start(String text) {
    int start = NONE;
    int end = Integer.MAX_VALUE;
    for (String stop : stops) {
      int at = text.indexOf(stop);
      int stopEnd = at + stop.length();
      if (at >= 0 && (stopEnd < end || stopEnd == end && at < start)) {
        start = at;
        end = stopEnd;
      }
    }
    return start;
  }

  /// Characters at the text's end that begin a stop string.
  private int undecided(String text) {
    int longest = 0;
    for (String stop : stops) {
      for (int n = Math.min(stop.length() - 1, text.length()); n > longest; n--) {
        if (text.startsWith(stop.substring(0, n), text.length() - n)) {
          longest = n;
        }
      }
    }
    return longest;
  }
}

package dev.quern.conformance.attention;

import java.util.List;
import java.util.stream.Stream;

/// Which of a query's scores count, and as what: the kinds of attention that a provider has or has
/// not, as its declaration names them.
enum Scores {
  /// All up to the query's own, as they are: what every provider of attention has.
  FULL("full"),
  /// Those of a sliding window.
  WINDOW("window"),
  /// All, with a soft cap.
  SOFT_CAP("soft-cap"),
  /// Those of a window, with a soft cap.
  WINDOW_AND_SOFT_CAP("window+soft-cap");

  private final String id;

  Scores(String id) {
    this.id = id;
  }

  String id() {
    return id;
  }

  static Scores of(int window, float softCap) {
    if (window == 0) {
      return softCap == 0 ? FULL : SOFT_CAP;
    }
    return softCap == 0 ? WINDOW : WINDOW_AND_SOFT_CAP;
  }

  boolean windowed() {
    return this == WINDOW || this == WINDOW_AND_SOFT_CAP;
  }

  boolean capped() {
    return this == SOFT_CAP || this == WINDOW_AND_SOFT_CAP;
  }

  static List<String> ids() {
    return Stream.of(values()).map(Scores::id).toList();
  }
}

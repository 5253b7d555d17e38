package dev.quern.text;

import java.util.Collection;
import java.util.Comparator;
import java.util.Optional;

/// Finds what a user probably meant.
public final class Nearest {
  private Nearest() {}

  /// The candidate that differs least from a word, if it differs by no more than a third of the
  /// word's letters (at least one).
  public static Optional<String> to(String word, Collection<String> candidates) {
    return candidates.stream()
        .filter(c -> distance(word, c) <= Math.max(1, word.length() / 3))
        .min(
            Comparator.comparingInt((String c) -> distance(word, c))
                .thenComparing(Comparator.naturalOrder()));
  }

  /// ` (did you mean x?)`, or nothing.
  public static String hint(String word, Collection<String> candidates) {
    return to(word, candidates).map(c -> " (did you mean " + c + "?)").orElse("");
  }

  /// Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment).
  static int distance(String a, String b) {
    int[][] d = new int[a.length() + 1][b.length() + 1];
    for (int i = 0; i <= a.length(); i++) {
      for (int j = 0; j <= b.length(); j++) {
        if (i == 0 || j == 0) {
          d[i][j] = i + j;
          continue;
        }
        int change = a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1;
        d[i][j] = Math.min(d[i - 1][j - 1] + change, Math.min(d[i - 1][j], d[i][j - 1]) + 1);
        if (i > 1
            && j > 1
            && a.charAt(i - 1) == b.charAt(j - 2)
            && a.charAt(i - 2) == b.charAt(j - 1)) {
          d[i][j] = Math.min(d[i][j], d[i - 2][j - 2] + 1);
        }
      }
    }
    return d[a.length()][b.length()];
  }
}

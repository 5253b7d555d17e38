package dev.quern.llama.sampling;

/// The last tokens of a sequence, of which each counts once.
final class History {
  private final int[] window; // [repeatLastN], a ring
  private final long[] lastSeen; // [vocabularySize], the position after the token's last occurrence
  private long position; // tokens so far

  History(int repeatLastN, int vocabularySize) {
    window = new int[repeatLastN];
    lastSeen = new long[vocabularySize];
  }

  /// Tokens so far.
  long position() {
    return position;
  }

  void add(int token) {
    if (window.length > 0) {
      window[(int) (position % window.length)] = token;
    }
    lastSeen[token] = ++position;
  }

  /// Divides the positive and multiplies the negative logits of the tokens in the window (Keskar et
  /// al., "CTRL", 2019, with the fix for negative logits that llama.cpp and others apply).
  ///
  /// @param logits [vocabularySize]
  void penalize(float[] logits, float penalty) {
    for (long p = Math.max(0, position - window.length); p < position; p++) {
      int token = window[(int) (p % window.length)];
      if (lastSeen[token] == p + 1) { // not an earlier occurrence
        logits[token] = logits[token] <= 0 ? logits[token] * penalty : logits[token] / penalty;
      }
    }
  }
}

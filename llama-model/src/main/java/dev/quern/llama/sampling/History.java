package dev.quern.llama.sampling;

/// The last tokens of a sequence, and how often each is among them.
final class History {
  private final int[] window; // [repeatLastN], a ring
  private final int[] counts; // [vocabularySize], occurrences in the window
  private final long[] lastSeen; // [vocabularySize], the position after the token's last occurrence
  private long position; // tokens so far

  History(int repeatLastN, int vocabularySize) {
    window = new int[repeatLastN];
    counts = new int[vocabularySize];
    lastSeen = new long[vocabularySize];
  }

  /// Tokens so far.
  long position() {
    return position;
  }

  void add(int token) {
    if (window.length > 0) {
      int slot = (int) (position % window.length);
      if (position >= window.length) {
        counts[window[slot]]--;
      }
      window[slot] = token;
      counts[token]++;
    }
    lastSeen[token] = ++position;
  }

  /// Divides the positive and multiplies the negative logits of the tokens in the window (Keskar et
  /// al., "CTRL", 2019, with the fix for negative logits that llama.cpp and others apply), then
  /// takes the frequency penalty for each occurrence and the presence penalty once (OpenAI's API
  /// reference, "Frequency and presence penalties"), as llama.cpp's `penalties` do.
  ///
  /// @param logits [vocabularySize]
  void penalize(float[] logits, SamplingOptions options) {
    float repeat = (float) options.repeatPenalty();
    for (long p = Math.max(0, position - window.length); p < position; p++) {
      int token = window[(int) (p % window.length)];
      if (lastSeen[token] == p + 1) { // not an earlier occurrence
        float logit = logits[token] <= 0 ? logits[token] * repeat : logits[token] / repeat;
        double taken = counts[token] * options.frequencyPenalty() + options.presencePenalty();
        logits[token] = (float) (logit - taken);
      }
    }
  }
}

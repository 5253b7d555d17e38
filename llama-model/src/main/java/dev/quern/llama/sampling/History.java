package dev.quern.llama.sampling;

import java.util.ArrayDeque;
import java.util.Deque;

/// The last tokens of a sequence, and how often each is among them.
final class History {
  private final int[] window; // [repeatLastN], a ring
  private final int[] counts; // [vocabularySize], occurrences in the window
  private final long[] lastSeen; // [vocabularySize], the position after the token's last occurrence
  private long position; // tokens so far
  private final Deque<Guess> guesses = new ArrayDeque<>(); // the last tokens, the last first

  /// A token that may be taken back.
  ///
  /// @param fellOut the token that it pushed out of the window, if that is full
  /// @param lastSeen of the token, before
  private record Guess(int token, int fellOut, long lastSeen) {}

  History(int repeatLastN, int vocabularySize) {
    window = new int[repeatLastN];
    counts = new int[vocabularySize];
    lastSeen = new long[vocabularySize];
  }

  /// Tokens so far.
  long position() {
    return position;
  }

  /// Adds a token that [#withdraw] takes back.
  void guess(int token) {
    int fellOut = window.length == 0 ? 0 : window[slot(position)];
    guesses.push(new Guess(token, fellOut, lastSeen[token]));
    add(token);
  }

  /// How many tokens were guessed.
  int guesses() {
    return guesses.size();
  }

  /// Takes all guesses back, the last first.
  void withdraw() {
    while (!guesses.isEmpty()) {
      Guess guess = guesses.pop();
      lastSeen[guess.token] = guess.lastSeen;
      position--;
      if (window.length > 0) {
        counts[guess.token]--;
        window[slot(position)] = guess.fellOut;
        if (position >= window.length) {
          counts[guess.fellOut]++;
        }
      }
    }
  }

  private int slot(long position) {
    return (int) (position % window.length);
  }

  void add(int token) {
    if (window.length > 0) {
      int slot = slot(position);
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
      int token = window[slot(p)];
      if (lastSeen[token] == p + 1) { // not an earlier occurrence
        float logit = logits[token] <= 0 ? logits[token] * repeat : logits[token] / repeat;
        double taken = counts[token] * options.frequencyPenalty() + options.presencePenalty();
        logits[token] = (float) (logit - taken);
      }
    }
  }
}

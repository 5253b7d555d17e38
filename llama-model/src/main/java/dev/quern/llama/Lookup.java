package dev.quern.llama;

/// Guesses how a sequence goes on: as it did where its last tokens stood before (Saxena, "Prompt
/// lookup decoding", 2023). It pauses where guesses are wrong too often: a guess costs a row.
final class Lookup {
  /// Last tokens that must have stood before, at least.
  private static final int LEAST = 2;

  /// And at best.
  private static final int BEST = 4;

  /// Guesses after which it is looked at how many were right.
  private static final int TRIAL = 32;

  /// What pays: a row more costs a part of a step, and a right guess saves a whole one.
  private static final double WORTHWHILE = 0.3;

  /// Tokens without a guess where they did not pay.
  private static final int PAUSE = 64;

  private final int most;
  private int guessed;
  private int right;
  private int pause;

  /// @param most tokens of a guess
  Lookup(int most) {
    this.most = most;
  }

  /// Whether it guesses nothing for a while.
  boolean isPausing() {
    return pause > 0;
  }

  /// @param tokens those in the cache
  /// @param next the token behind them
  /// @param room most tokens that are of use
  int[] guess(SessionTokens tokens, int next, int room) {
    int length = Math.min(most, room);
    if (length <= 0) {
      return new int[0];
    }
    if (pause > 0) {
      pause--;
      return new int[0];
    }
    int end = tokens.position(); // where `next` stands
    int longest = LEAST - 1;
    int behind = -1; // the position behind the best match
    for (int p = end - 1; p >= 0 && longest < BEST; p--) {
      int same = same(tokens, p, end, next);
      if (same > longest) {
        longest = same;
        behind = p + 1;
      }
    }
    if (behind < 0) {
      return new int[0];
    }
    int[] guess = new int[length];
    for (int i = 0; i < length; i++) {
      int from = behind + i; // at the end begins what is being copied: a loop goes on
      guess[i] = from < end ? tokens.at(from) : from == end ? next : guess[from - end - 1];
    }
    return guess;
  }

  /// How many tokens up to p are those up to the end, at most [#BEST].
  private static int same(SessionTokens tokens, int p, int end, int next) {
    if (tokens.at(p) != next) {
      return 0;
    }
    int same = 1;
    while (same < BEST && same <= p && tokens.at(p - same) == tokens.at(end - same)) {
      same++;
    }
    return same;
  }

  /// Notes how a guess went.
  void was(int tokens, int ofThemRight) {
    guessed += tokens;
    right += ofThemRight;
    if (guessed >= TRIAL) {
      pause = right < WORTHWHILE * guessed ? PAUSE : 0;
      guessed = 0;
      right = 0;
    }
  }
}

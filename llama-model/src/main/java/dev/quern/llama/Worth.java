package dev.quern.llama;

/// Whether a draft model's guesses pay: whether tokens come faster with them than without. That
/// depends on the models, on the text, and on how many sequences share a step, so it is measured as
/// the engine runs, each number of sequences for itself. For one thread.
final class Worth {
  /// Steps of each kind before there is a choice; the first ones of a cold JVM say little.
  private static final int TRIAL = 4;

  /// Steps after which the other kind has another trial.
  private static final int AGAIN = 64;

  /// Weight of the last step in the means.
  private static final double LAST = 0.2;

  private final Choice[] choices; // by sequences

  /// Nanoseconds a token, and how often they were measured.
  private static final class Mean {
    double nanos;
    int steps;

    void add(double last) {
      nanos = steps++ == 0 ? last : nanos + LAST * (last - nanos);
    }
  }

  private static final class Choice {
    final Mean with = new Mean();
    final Mean without = new Mean();
    int steps;

    boolean pays() {
      if (without.steps < TRIAL || with.steps < TRIAL) {
        return without.steps >= TRIAL;
      }
      boolean better = with.nanos < without.nanos;
      return steps % AGAIN < AGAIN - TRIAL ? better : !better;
    }
  }

  /// @param sequences most that share a step
  Worth(int sequences) {
    choices = new Choice[sequences + 1];
    for (int i = 0; i <= sequences; i++) {
      choices[i] = new Choice();
    }
  }

  /// Whether the next step of so many is to have guesses.
  boolean pays(int sequences) {
    return choices[sequences].pays();
  }

  /// Notes a step of nothing but decoding.
  ///
  /// @param guessed whether it had guesses; their time counts
  /// @param tokens that it gave
  void took(int sequences, boolean guessed, int tokens, long nanos) {
    Choice choice = choices[sequences];
    choice.steps++;
    (guessed ? choice.with : choice.without).add((double) nanos / Math.max(1, tokens));
  }
}

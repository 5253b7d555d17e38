package dev.quern.llama.sampling;

import dev.quern.llama.bytes.LittleEndian;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Locale;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/// Chooses the next token from the logits. The chain is llama.cpp's default one, in its order (its
/// server's documentation, `--samplers`): logit bias, penalties (repeat, frequency, presence),
/// top-k, typical p, top-p, min-p, temperature, draw. Each filter sees what the one before has
/// kept, and typical p, top-p and min-p look at probabilities before the temperature.
///
/// A sampler follows one sequence: it remembers the tokens that it chose, and those that it is told
/// of by [#accept(int...)] (the prompt). It draws one random number for each token, from
/// `L64X128MixRandom` (see the package documentation of `java.util.random`) with the options' seed.
/// For one thread.
///
/// @since 0.1
/// @stability api
public final class Sampler {
  private final SamplingOptions options;
  private final int vocabularySize;
  private final float[] logits; // [vocabularySize], the caller's, then biased and penalised
  private final LogitBias bias;
  private final Candidates candidates;
  private final History history;
  private final RandomGenerator random;
  private double[] ahead = {}; // random numbers that guesses were made with
  private int known; // of these

  /// @param vocabularySize how many logits each step has
  /// @throws IllegalArgumentException where that is not one
  /// @throws dev.quern.llama.error.RequestException where a bias is of a token beyond it
  public Sampler(SamplingOptions options, int vocabularySize) {
    if (vocabularySize < 1) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "sampling: vocabularySize=%d, expected >= 1", vocabularySize));
    }
    this.options = options;
    this.vocabularySize = vocabularySize;
    logits = new float[vocabularySize];
    bias = new LogitBias(options.logitBias(), vocabularySize);
    candidates = new Candidates(options.temperature() == 0 ? 0 : vocabularySize);
    history = new History(options.repeatLastN(), vocabularySize);
    random = RandomGeneratorFactory.of("L64X128MixRandom").create(options.seed());
  }

  /// Tells the sampler of tokens that it did not choose, so that the penalties count them.
  public void accept(int... tokens) {
    for (int token : tokens) {
      if (token < 0 || token >= vocabularySize) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT, "sampling: token id %d, expected 0 .. %d", token, vocabularySize - 1));
      }
      history.add(token);
    }
  }

  /// Chooses the next token and remembers it. Negative infinity forbids a token.
  ///
  /// @param next F32 [vocabularySize], little-endian, any alignment; not changed
  /// @throws LogitsException where a logit is NaN or positive infinity, or no token is allowed
  public int next(MemorySegment next) {
    take(next);
    return choose(null);
  }

  /// As [#next(MemorySegment)], of some tokens only. They are told apart behind biases and
  /// penalties, and before the filters.
  ///
  /// @param allowed a bit for each token, the lowest of the first element for token 0; tokens that
  ///   have none are not allowed. Not changed
  public int next(MemorySegment next, long[] allowed) {
    take(next);
    return choose(allowed);
  }

  private void take(MemorySegment next) {
    long expectedBytes = (long) vocabularySize * Float.BYTES;
    if (next.byteSize() != expectedBytes) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "sampling: logits of %d bytes, expected %d: F32 for each of %d tokens",
              next.byteSize(),
              expectedBytes,
              vocabularySize));
    }
    LittleEndian.f32s(next, logits, vocabularySize);
  }

  /// As [#next(MemorySegment)].
  ///
  /// @param next [vocabularySize]; not changed
  public int next(float[] next) {
    copy(next);
    return choose(null);
  }

  /// As [#next(float[])], of some tokens only.
  ///
  /// @param allowed as for [#next(MemorySegment, long[])]
  public int next(float[] next, long[] allowed) {
    copy(next);
    return choose(allowed);
  }

  private void copy(float[] next) {
    if (next.length != vocabularySize) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "sampling: %d logits, expected %d, one for each token",
              next.length,
              vocabularySize));
    }
    System.arraycopy(next, 0, logits, 0, vocabularySize);
  }

  /// Guesses what [#next(MemorySegment)] is going to choose, from another model's logits: it goes
  /// through the same chain, with the random number that the token at this place will be drawn
  /// with. So a model that agrees is right, and a guess, right or wrong, changes nothing that is
  /// chosen. The next guess is of the token behind this one, until [#withdraw] forgets them all.
  ///
  /// @param next [vocabularySize]; not changed
  /// @throws LogitsException where a logit is NaN or positive infinity, or no token is allowed
  public int guess(float[] next) {
    return guessed(next, null);
  }

  /// As [#guess(float[])], of some tokens only.
  ///
  /// @param allowed as for [#next(MemorySegment, long[])]
  public int guess(float[] next, long[] allowed) {
    return guessed(next, allowed);
  }

  private int guessed(float[] next, long[] allowed) {
    copy(next);
    int token = chosen(allowed, true);
    history.guess(token);
    return token;
  }

  /// Forgets all guesses, as it must be before a token is chosen.
  public void withdraw() {
    history.withdraw();
  }

  /// @param allowed null where all tokens are
  private int choose(long[] allowed) {
    if (history.guesses() > 0) {
      throw new IllegalStateException("sampling: guesses were not withdrawn");
    }
    int token = chosen(allowed, false);
    history.add(token);
    return token;
  }

  private int chosen(long[] allowed, boolean guess) {
    bias.addTo(logits);
    if (options.penalizes()) {
      history.penalize(logits, options);
    }
    int best = best(); // looks at those that are not allowed too
    best = allowed == null ? best : best(allowed);
    if (options.temperature() == 0) {
      return best;
    }
    return draw(guess ? upcoming(history.guesses()) : uniform());
  }

  /// The next random number.
  private double uniform() {
    if (known == 0) {
      return random.nextDouble();
    }
    double next = ahead[0];
    System.arraycopy(ahead, 1, ahead, 0, --known);
    return next;
  }

  /// The random number that so many tokens later is the next.
  private double upcoming(int tokens) {
    while (known <= tokens) {
      if (known == ahead.length) {
        ahead = Arrays.copyOf(ahead, known + 16);
      }
      ahead[known++] = random.nextDouble();
    }
    return ahead[tokens];
  }

  private int draw(double uniform) {
    candidates.setTopK(logits, options.topK() == 0 ? vocabularySize : options.topK());
    if (options.typicalP() < 1) {
      candidates.typical(options.typicalP());
    }
    if (options.topP() < 1) {
      candidates.topP(options.topP());
    }
    if (options.minP() > 0) {
      candidates.minP(options.minP());
    }
    return candidates.draw(options.temperature(), uniform);
  }

  /// The first of the largest logits. All are checked, since a NaN would lose every comparison and
  /// so pass unseen.
  private int best() {
    int best = 0;
    for (int i = 0; i < vocabularySize; i++) {
      if (!(logits[i] < Float.POSITIVE_INFINITY)) {
        throw LogitsException.of(i, logits[i], history.position());
      }
      best = logits[i] > logits[best] ? i : best;
    }
    if (logits[best] == Float.NEGATIVE_INFINITY) {
      throw LogitsException.none(vocabularySize, history.position());
    }
    return best;
  }

  /// The first of the largest logits that are allowed. Those of others become -Infinity.
  private int best(long[] allowed) {
    for (int from = 0; from < vocabularySize; from += Long.SIZE) {
      int to = Math.min(from + Long.SIZE, vocabularySize);
      long bits = from / Long.SIZE < allowed.length ? allowed[from / Long.SIZE] : 0;
      if (bits == 0) {
        Arrays.fill(logits, from, to, Float.NEGATIVE_INFINITY);
      } else if (bits != -1) {
        for (int i = from; i < to; i++) {
          logits[i] = (bits >>> i & 1) == 0 ? Float.NEGATIVE_INFINITY : logits[i];
        }
      }
    }
    return best();
  }
}

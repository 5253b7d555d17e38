package dev.quern.llama.checkpoint;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// How a model stretches RoPE over more positions than it was first trained for. Pair i turns by
/// `base^(-2i / dim)` from one position to the next where nothing is stretched; `f(i)` below.
///
/// @since 0.1
/// @stability api
public sealed interface RopeScaling {
  /// GGUF's tensor of [Divisors].
  String DIVISORS = "rope_freqs.weight";

  /// GGUF's tensor of [LongRope#shortDivisors()].
  String SHORT_DIVISORS = "rope_factors_short.weight";

  /// GGUF's tensor of [LongRope#longDivisors()].
  String LONG_DIVISORS = "rope_factors_long.weight";

  /// What pairs turn by from one position to the next.
  ///
  /// @param dim elements of a head that are turned
  /// @param base of the frequencies
  /// @param context positions of a session
  /// @return `[dim / 2]`, radians
  double[] frequencies(int dim, double base, int context);

  /// What cosines and sines are multiplied with.
  default double magnitude() {
    return 1;
  }

  /// The tensors that GGUF keeps it in, by name; none where keys suffice.
  default Map<String, List<Float>> tensors() {
    return Map.of();
  }

  /// Positions are divided (Chen et al. 2023): `f(i) / factor`.
  record Linear(double factor) implements RopeScaling {
    @Override
    public double[] frequencies(int dim, double base, int context) {
      double[] frequencies = unscaled(dim, base);
      for (int i = 0; i < frequencies.length; i++) {
        frequencies[i] *= 1 / factor;
      }
      return frequencies;
    }
  }

  /// Each frequency has its divisor: `f(i) / divisors[i]`. So it is with Llama 3, whose divisors
  /// follow from four numbers in other containers than GGUF.
  ///
  /// @param divisors `[dim / 2]`
  record Divisors(List<Float> divisors) implements RopeScaling {
    public Divisors {
      divisors = List.copyOf(divisors);
    }

    @Override
    public double[] frequencies(int dim, double base, int context) {
      return divided(dim, base, divisors);
    }

    @Override
    public Map<String, List<Float>> tensors() {
      return Map.of(DIVISORS, divisors);
    }
  }

  /// YaRN (Peng et al. 2023, as ggml's `rope_yarn`): pairs that turn more often than `betaFast`
  /// times within the original context stay, those that turn less often than `betaSlow` times are
  /// divided by `factor`, between them is a ramp.
  ///
  /// @param originalContext positions before stretching
  /// @param extrapolation share of the pairs that stay, 1 in the paper; with 0 all are divided
  /// @param magnitude what cosines and sines are multiplied with; [#magnitude(double)] in the paper
  record Yarn(
      double factor,
      double originalContext,
      double betaFast,
      double betaSlow,
      double extrapolation,
      double magnitude)
      implements RopeScaling {
    static final double BETA_FAST = 32;
    static final double BETA_SLOW = 1;

    /// The paper's factor on cosines and sines: its root of the temperature, `0.1 ln(factor) + 1`.
    static double magnitude(double factor) {
      return factor <= 1 ? 1 : 1 + 0.1 * Math.log(factor);
    }

    @Override
    public double[] frequencies(int dim, double base, int context) {
      double low = Math.max(0, Math.floor(pairThatTurns(betaFast, dim, base)));
      double high = Math.min(dim - 1, Math.ceil(pairThatTurns(betaSlow, dim, base)));
      double[] frequencies = unscaled(dim, base);
      for (int i = 0; i < frequencies.length; i++) {
        double ramp = Math.clamp((i - low) / Math.max(0.001, high - low), 0.0, 1.0);
        double stays = (1 - ramp) * extrapolation;
        frequencies[i] *= stays + (1 - stays) / factor;
      }
      return frequencies;
    }

    /// The pair, not a whole one, that turns so many times within the original context.
    private double pairThatTurns(double times, int dim, double base) {
      return dim * Math.log(originalContext / (times * 2 * Math.PI)) / (2 * Math.log(base));
    }
  }

  /// LongRoPE (Ding et al. 2024, as Phi-3 has it): one list of divisors for sessions within the
  /// original context, another for longer ones. As with llama.cpp a session's context decides, and
  /// not, as with transformers, how far a sequence is: keys of a cache are turned once.
  ///
  /// @param shortDivisors `[dim / 2]`
  /// @param longDivisors `[dim / 2]`
  /// @param originalContext positions before stretching
  /// @param magnitude what cosines and sines are multiplied with, whatever the context;
  ///   [#magnitude(double, double)] in the paper
  record LongRope(
      List<Float> shortDivisors, List<Float> longDivisors, int originalContext, double magnitude)
      implements RopeScaling {
    public LongRope {
      shortDivisors = List.copyOf(shortDivisors);
      longDivisors = List.copyOf(longDivisors);
    }

    /// The paper's factor on cosines and sines, `sqrt(1 + ln(factor) / ln(originalContext))`.
    static double magnitude(double factor, double originalContext) {
      return factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(originalContext));
    }

    @Override
    public double[] frequencies(int dim, double base, int context) {
      return divided(dim, base, context > originalContext ? longDivisors : shortDivisors);
    }

    @Override
    public Map<String, List<Float>> tensors() {
      return Map.of(SHORT_DIVISORS, shortDivisors, LONG_DIVISORS, longDivisors);
    }
  }

  /// Dynamic NTK scaling (`_compute_dynamic_ntk_parameters` of transformers): the base grows with
  /// the context beyond the original one. A session's context decides, as with [LongRope].
  ///
  /// @param originalContext positions before stretching
  record DynamicNtk(double factor, double originalContext) implements RopeScaling {
    @Override
    public double[] frequencies(int dim, double base, int context) {
      double times = Math.max(context, originalContext) / originalContext;
      double growth = Math.pow(factor * times - (factor - 1), dim / (dim - 2.0));
      return unscaled(dim, base * growth);
    }
  }

  /// Llama 3's divisors (`_compute_llama3_parameters` of transformers): waves that are short
  /// against the original context stay, long ones are stretched by `factor`, those between are
  /// blended.
  static Divisors llama3(
      double base, int dim, double factor, double low, double high, double originalContext) {
    List<Float> divisors = new ArrayList<>();
    for (int i = 0; i < dim / 2; i++) {
      double wavelength = 2 * Math.PI * Math.pow(base, 2.0 * i / dim);
      double turns = originalContext / wavelength;
      double keep = Math.clamp((turns - low) / (high - low), 0.0, 1.0);
      divisors.add((float) (1 / ((1 - keep) / factor + keep)));
    }
    return new Divisors(divisors);
  }

  private static double[] unscaled(int dim, double base) {
    double[] frequencies = new double[dim / 2];
    for (int i = 0; i < frequencies.length; i++) {
      frequencies[i] = Math.pow(base, -2.0 * i / dim);
    }
    return frequencies;
  }

  private static double[] divided(int dim, double base, List<Float> divisors) {
    double[] frequencies = unscaled(dim, base);
    for (int i = 0; i < frequencies.length; i++) {
      frequencies[i] /= divisors.get(i);
    }
    return frequencies;
  }

  /// No scaling.
  static RopeScaling none() {
    return new Linear(1);
  }

  /// Names of all tensors of [#tensors()].
  static List<String> tensorNames() {
    return List.of(DIVISORS, SHORT_DIVISORS, LONG_DIVISORS);
  }
}

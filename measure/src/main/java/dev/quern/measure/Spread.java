package dev.quern.measure;

import java.util.Arrays;

/// One figure over several repetitions.
///
/// @param samples the figure of each repetition, in order; at least one
public record Spread(double... samples) {
  /// Above this a machine is too busy, or its clock too unsteady, for the median to mean much.
  static final double STABLE = 0.05;

  public Spread {
    if (samples.length == 0) {
      throw new IllegalArgumentException("spread: no samples, expected at least one");
    }
    samples = samples.clone();
  }

  @Override
  public double[] samples() {
    return samples.clone();
  }

  /// The middle one, or the mean of the two in the middle.
  public double median() {
    double[] sorted = samples.clone();
    Arrays.sort(sorted);
    int n = sorted.length;
    return (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
  }

  public double min() {
    return Arrays.stream(samples).min().getAsDouble();
  }

  public double max() {
    return Arrays.stream(samples).max().getAsDouble();
  }

  /// (max - min) / median; 0 for a single sample.
  public double relative() {
    return samples.length == 1 ? 0 : (max() - min()) / median();
  }

  /// Whether the samples lie within 5 % of the median from end to end.
  public boolean stable() {
    return relative() <= STABLE;
  }
}

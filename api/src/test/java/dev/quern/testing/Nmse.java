package dev.quern.testing;

/// Normalised mean squared error, of logits: `Σ(actual - expected)² / Σ expected²`, in double.
public final class Nmse {
  private Nmse() {}

  public static double of(float[] actual, float[] expected) {
    double error = 0;
    double power = 0;
    for (int i = 0; i < expected.length; i++) {
      double difference = (double) actual[i] - expected[i];
      error += difference * difference;
      power += (double) expected[i] * expected[i];
    }
    return error / power;
  }
}

package dev.quern.llama.perplexity;

/// A mean and its standard error, as `llama-perplexity` estimates it: the square root of (mean of
/// squares - square of mean) / (count - 1).
///
/// @param value the mean
/// @param uncertainty one standard error; NaN where there are fewer than two values
/// @since 0.1
/// @stability api
public record Mean(double value, double uncertainty) {

  /// Sums of values as they come.
  static final class Sum {
    private long count;
    private double sum;
    private double squares;

    void add(double value) {
      count++;
      sum += value;
      squares += value * value;
    }

    Mean mean() {
      double mean = sum / count;
      // Rounding can leave a variance of zero slightly negative.
      double variance = Math.max(0, squares / count - mean * mean);
      return new Mean(mean, count < 2 ? Double.NaN : Math.sqrt(variance / (count - 1)));
    }
  }
}

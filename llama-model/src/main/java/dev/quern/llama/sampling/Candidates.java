package dev.quern.llama.sampling;

import java.util.Arrays;

/// Tokens with their logits, the best first, as one array of longs that sorts by value: the upper
/// half is the logit mapped to an int of reverse order, the lower half the token id. So equal
/// logits are in the order of their ids.
final class Candidates {
  private final long[] keys; // [most]
  private final double[] weights; // [most]
  private int size;

  /// @param most there will be
  Candidates(int most) {
    keys = new long[most];
    weights = new double[most];
  }

  int size() {
    return size;
  }

  int token(int i) {
    return (int) keys[i];
  }

  float logit(int i) {
    int ordered = ~(int) (keys[i] >> 32);
    return Float.intBitsToFloat(ordered ^ ordered >> 31 & Integer.MAX_VALUE);
  }

  /// Takes the k best of the logits, sorted.
  ///
  /// @param logits [vocabularySize], none NaN
  /// @param k how many; more than there are means all
  void setTopK(float[] logits, int k) {
    size = Math.min(k, logits.length);
    for (int i = 0; i < size; i++) {
      keys[i] = key(logits[i], i);
    }
    if (size < logits.length) {
      selectFrom(logits);
    }
    Arrays.sort(keys, 0, size);
  }

  /// Keeps the best of all in a heap whose root is the worst of them.
  private void selectFrom(float[] logits) {
    for (int i = size / 2 - 1; i >= 0; i--) {
      siftDown(i, keys[i]);
    }
    for (int i = size; i < logits.length; i++) {
      long key = key(logits[i], i);
      if (key < keys[0]) {
        siftDown(0, key);
      }
    }
  }

  private void siftDown(int hole, long key) {
    int i = hole;
    for (int child = 2 * i + 1; child < size; child = 2 * i + 1) {
      if (child + 1 < size && keys[child + 1] > keys[child]) {
        child++;
      }
      if (keys[child] <= key) {
        break;
      }
      keys[i] = keys[child];
      i = child;
    }
    keys[i] = key;
  }

  /// Keeps the shortest beginning whose share of the probability is at least p.
  void topP(double p) {
    double wanted = p * softmax(1);
    double sum = weights[0];
    int kept = 1;
    while (sum < wanted && kept < size) {
      sum += weights[kept++];
    }
    size = kept;
  }

  /// Keeps the fewest candidates whose share of the probability is more than p, those first whose
  /// information, `-log(probability)`, is nearest to the entropy, which is its mean; of equally
  /// near ones the best first. Logits differ from `log(probability)` by a constant, so they are
  /// compared with their mean. The logits are in order, so what is kept is a run of neighbours.
  void typical(double p) {
    double sum = softmax(1);
    double mean = meanLogit(sum);
    int from = 0; // what is kept: from .. to - 1
    while (from < size && logit(from) >= mean) {
      from++;
    }
    int to = from;
    double kept = 0;
    while (kept <= p * sum && to - from < size) {
      boolean before = from > 0 && (to == size || distance(from - 1, mean) <= distance(to, mean));
      kept += before ? weights[--from] : weights[to++];
    }
    keepTheBestOfEquals(from, to, mean);
    System.arraycopy(keys, from, keys, 0, to - from);
    size = to - from;
  }

  /// Of candidates that are as far from the mean as the first that is kept, the worst were taken
  /// first.
  private void keepTheBestOfEquals(int from, int to, double mean) {
    double distance = distance(from, mean);
    int first = from;
    while (first > 0 && distance(first - 1, mean) == distance) {
      first--;
    }
    int end = from;
    while (end < to && logit(end) >= mean && distance(end, mean) == distance) {
      end++;
    }
    System.arraycopy(keys, first, keys, from, end - from);
  }

  private double distance(int i, double mean) {
    return Math.abs(logit(i) - mean);
  }

  /// The mean of the logits, each with its probability.
  ///
  /// @param sum of the weights
  private double meanLogit(double sum) {
    double best = logit(0);
    double mean = 0;
    for (int i = 0; i < size && weights[i] > 0; i++) { // 0 * -Infinity would be NaN
      mean += weights[i] * (logit(i) - best);
    }
    return best + mean / sum;
  }

  /// Keeps the candidates with at least p times the probability of the best.
  void minP(double p) {
    double least = logit(0) + StrictMath.log(p);
    while (logit(size - 1) < least) {
      size--;
    }
  }

  /// The candidate that a uniform random number in [0, 1) falls on, with probabilities as
  /// softmax(logits / temperature).
  int draw(double temperature, double uniform) {
    double target = uniform * softmax(temperature);
    int i = 0;
    double sum = weights[0];
    while (sum <= target && i + 1 < size && weights[i + 1] > 0) {
      sum += weights[++i];
    }
    return token(i);
  }

  /// Fills the weights, relative to the best candidate's 1, and returns their sum. StrictMath,
  /// since Math.exp may differ between platforms in the last bit, and so between tokens.
  private double softmax(double temperature) {
    double best = logit(0);
    double sum = 0;
    for (int i = 0; i < size; i++) {
      weights[i] = StrictMath.exp((logit(i) - best) / temperature);
      sum += weights[i];
    }
    return sum;
  }

  private static long key(float logit, int token) {
    int bits = Float.floatToRawIntBits(logit + 0f); // -0 becomes 0
    return (long) ~(bits ^ bits >> 31 & Integer.MAX_VALUE) << 32 | token;
  }
}

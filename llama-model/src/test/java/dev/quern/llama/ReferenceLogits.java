package dev.quern.llama;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.util.LinkedHashMap;
import java.util.Map;

/// Token ids and the logits after some of them, as another engine computed them.
///
/// @param tokens the ids, from position 0
/// @param logits by position
record ReferenceLogits(int[] tokens, Map<Integer, double[]> logits) {

  /// @param format the member of `logits` that holds the positions; null where there is one format
  ///   only
  static ReferenceLogits read(InputStream json, String format) throws IOException {
    JsonNode root = new ObjectMapper().readTree(json);
    JsonNode logits = format == null ? root.get("logits") : root.get("logits").get(format);
    Map<Integer, double[]> byPosition = new LinkedHashMap<>();
    logits
        .properties()
        .forEach(e -> byPosition.put(Integer.parseInt(e.getKey()), doubles(e.getValue())));
    if (byPosition.isEmpty()) {
      throw new IllegalStateException("no logits of " + format);
    }
    return new ReferenceLogits(toInts(root.get("tokens")), byPosition);
  }

  /// Normalised mean squared error: `Σ(actual - expected)² / Σ expected²`.
  static double nmse(float[] actual, double[] expected) {
    double error = 0;
    double power = 0;
    for (int i = 0; i < expected.length; i++) {
      error += (actual[i] - expected[i]) * (actual[i] - expected[i]);
      power += expected[i] * expected[i];
    }
    return error / power;
  }

  static double largestDifference(float[] actual, double[] expected) {
    double largest = 0;
    for (int i = 0; i < expected.length; i++) {
      largest = Math.max(largest, Math.abs(actual[i] - expected[i]));
    }
    return largest;
  }

  private static double[] doubles(JsonNode array) {
    double[] values = new double[array.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = array.get(i).asDouble();
    }
    return values;
  }

  private static int[] toInts(JsonNode array) {
    int[] values = new int[array.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = array.get(i).asInt();
    }
    return values;
  }
}

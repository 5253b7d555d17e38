package dev.quern.llama.sampling;

import dev.quern.llama.error.RequestException;
import java.util.Locale;
import java.util.Map;

/// What is added to the logits of some tokens, whatever was said.
final class LogitBias {
  private final int[] tokens;
  private final double[] biases; // of the tokens

  /// @throws RequestException where a token is outside the vocabulary
  LogitBias(Map<Integer, Double> biases, int vocabularySize) {
    tokens = biases.keySet().stream().mapToInt(Integer::intValue).toArray();
    this.biases = biases.values().stream().mapToDouble(Double::doubleValue).toArray();
    for (int token : tokens) {
      if (token >= vocabularySize) {
        throw new RequestException(
            String.format(
                Locale.ROOT,
                "sampling: logitBias of token id %d, expected 0 .. %d",
                token,
                vocabularySize - 1));
      }
    }
  }

  void addTo(float[] logits) {
    for (int i = 0; i < tokens.length; i++) {
      logits[tokens[i]] = (float) (logits[tokens[i]] + biases[i]);
    }
  }
}

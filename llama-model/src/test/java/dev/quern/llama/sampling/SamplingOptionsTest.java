package dev.quern.llama.sampling;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.quern.llama.error.RequestException;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SamplingOptionsTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          -0.1 | 0  | 1   | 0    | 1     | 0  | temperature=-0.1, expected >= 0 (0: greedy)
          NaN  | 0  | 1   | 0    | 1     | 0  | temperature=NaN, expected >= 0 (0: greedy)
          Infinity | 0 | 1 | 0   | 1     | 0  | temperature=Infinity, expected >= 0 (0: greedy)
          1    | -1 | 1   | 0    | 1     | 0  | topK=-1, expected >= 0 (0: all tokens)
          1    | 0  | 0   | 0    | 1     | 0  | topP=0.0, expected in (0, 1] (1: all tokens)
          1    | 0  | 1.1 | 0    | 1     | 0  | topP=1.1, expected in (0, 1] (1: all tokens)
          1    | 0  | NaN | 0    | 1     | 0  | topP=NaN, expected in (0, 1] (1: all tokens)
          1    | 0  | 1   | -0.5 | 1     | 0  | minP=-0.5, expected in [0, 1] (0: all tokens)
          1    | 0  | 1   | 1.5  | 1     | 0  | minP=1.5, expected in [0, 1] (0: all tokens)
          1    | 0  | 1   | 0    | 0     | 0  | repeatPenalty=0.0, expected in [0.01, 100] (1: no penalty)
          1    | 0  | 1   | 0    | NaN   | 0  | repeatPenalty=NaN, expected in [0.01, 100] (1: no penalty)
          1    | 0  | 1   | 0    | 1     | -1 | repeatLastN=-1, expected >= 0 (0: no penalty)
          """)
  void parametersOutsideTheirRangesAreNamed(
      double temperature,
      int topK,
      double topP,
      double minP,
      double repeatPenalty,
      int repeatLastN,
      String message) {
    assertEquals(
        "sampling: " + message,
        assertThrows(
                RequestException.class,
                () ->
                    new SamplingOptions(
                        temperature, topK, topP, minP, repeatPenalty, repeatLastN, 0))
            .getMessage());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          100.5 | 0         | 1   | 0  | 0   | frequencyPenalty=100.5, expected in [-100, 100] (0: no penalty)
          NaN   | 0         | 1   | 0  | 0   | frequencyPenalty=NaN, expected in [-100, 100] (0: no penalty)
          0     | -Infinity | 1   | 0  | 0   | presencePenalty=-Infinity, expected in [-100, 100] (0: no penalty)
          0     | 0         | 0   | 0  | 0   | typicalP=0.0, expected in (0, 1] (1: all tokens)
          0     | 0         | 1.5 | 0  | 0   | typicalP=1.5, expected in (0, 1] (1: all tokens)
          0     | 0         | NaN | 0  | 0   | typicalP=NaN, expected in (0, 1] (1: all tokens)
          0     | 0         | 1   | -1 | 0   | logitBias of token=-1, expected an id >= 0
          0     | 0         | 1   | 7  | NaN | logitBias of token 7=NaN, expected in [-1e6, 1e6], or -Infinity (forbids the token)
          0     | 0         | 1   | 7  | Infinity | logitBias of token 7=Infinity, expected in [-1e6, 1e6], or -Infinity (forbids the token)
          """)
  void soAreThoseThatHaveWithMethods(
      double frequency, double presence, double typicalP, int token, double bias, String message) {
    assertEquals(
        "sampling: " + message,
        assertThrows(
                RequestException.class,
                () ->
                    SamplingOptions.GREEDY
                        .withPenalties(frequency, presence)
                        .withTypicalP(typicalP)
                        .withLogitBias(Map.of(token, bias)))
            .getMessage());
  }

  @Test
  void withMethodsChangeOneThing() {
    Map<Integer, Double> bias = new HashMap<>(Map.of(3, Double.NEGATIVE_INFINITY, 1, 2.5));
    SamplingOptions options =
        SamplingOptions.standard(5)
            .withPenalties(0.5, -0.25)
            .withTypicalP(0.75)
            .withLogitBias(bias)
            .withSeed(6);
    bias.clear(); // the options have their own
    Map<Integer, Double> biases = Map.of(3, Double.NEGATIVE_INFINITY, 1, 2.5);
    assertEquals(
        new SamplingOptions(0.8, 40, 0.95, 0.05, 1, 64, 6, 0.5, -0.25, 0.75, biases), options);
    assertEquals(
        SamplingOptions.standard(5),
        options.withPenalties(0, 0).withTypicalP(1).withLogitBias(Map.of()).withSeed(5));
  }
}

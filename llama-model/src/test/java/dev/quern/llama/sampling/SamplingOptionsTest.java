package dev.quern.llama.sampling;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

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
                IllegalArgumentException.class,
                () ->
                    new SamplingOptions(
                        temperature, topK, topP, minP, repeatPenalty, repeatLastN, 0))
            .getMessage());
  }
}

package dev.quern.conformance.run;

import java.util.Arrays;
import java.util.stream.IntStream;

/// What changes in an operand between two calls, its address never.
///
/// @param operand its name
/// @param part how much of it
public record Change(String operand, Part part) {
  /// For example `last four bytes of weight`.
  @Override
  public String toString() {
    return part.text + " of " + operand;
  }

  /// How much of an operand changes. A kernel that looks whether it has seen an operand before may
  /// look at its address, its first bytes, or a sum of some of them.
  public enum Part {
    /// All that differs.
    WHOLE("all"),
    /// The four bytes in the middle of what differs: one F32, or two binary16.
    MIDDLE("four bytes in the middle"),
    /// The last four of them.
    LAST("the last four bytes"),
    /// The four in the middle become NaN. Nothing judges the result: what is to be seen is the call
    /// after it, without NaN.
    NAN("NaN in the middle");

    private final String text;

    Part(String text) {
      this.text = text;
    }

    /// What the operand holds then.
    ///
    /// @param mine what it holds now
    /// @param other what it could hold, as long, and not the same
    public byte[] of(byte[] mine, byte[] other) {
      if (this == WHOLE) {
        return other;
      }
      int[] words =
          IntStream.range(0, (mine.length + 3) / 4)
              .filter(
                  w -> Arrays.mismatch(mine, 4 * w, end(mine, w), other, 4 * w, end(mine, w)) >= 0)
              .toArray();
      int word = words[this == LAST ? words.length - 1 : words.length / 2];
      byte[] changed = mine.clone();
      if (this == NAN) {
        Arrays.fill(changed, 4 * word, end(mine, word), (byte) 0xff); // NaN as F32 and binary16
      } else {
        System.arraycopy(other, 4 * word, changed, 4 * word, end(mine, word) - 4 * word);
      }
      return changed;
    }

    private static int end(byte[] bytes, int word) {
      return Math.min(bytes.length, 4 * word + 4);
    }
  }
}

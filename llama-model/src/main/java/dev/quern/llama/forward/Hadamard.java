package dev.quern.llama.forward;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.quern.data.F32Matrix;
import dev.quern.data.Workers;
import dev.quern.llama.error.LlamaException;
import java.lang.foreign.MemorySegment;
import java.util.Locale;

/// The fast Walsh-Hadamard transform of every row, in place, divided by the root of its length, so
/// that lengths are kept and the transform is its own inverse:
///
/// ```
/// H[1] = [1]     H[2n] = [ H[n]  H[n] ]     y = x * H[n] / sqrt(n)
///                        [ H[n] -H[n] ]
/// ```
///
/// SpinQuant (Liu et al. 2024) turns the down projection's input by it (R4), which spreads outliers
/// over all elements before they are rounded; the weights in the checkpoint are turned already.
///
/// @param width elements of a row, a power of two
public record Hadamard(int width) {

  public Hadamard {
    if (Integer.bitCount(width) != 1) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "model: SpinQuant over %d elements, expected a power of two (as Llama 3.2 has)",
              width));
    }
  }

  /// @param x `[rows, width]`
  void apply(F32Matrix x, Workers workers) {
    workers.run(x.rows(), (row, _) -> transform(x.data(), x.offsetBytes(row, 0)));
  }

  /// Stages of butterflies `(a, b) -> (a + b, a - b)` at distances 1, 2, 4 ...
  private void transform(MemorySegment data, long at) {
    float scale = (float) (1 / Math.sqrt(width));
    for (int distance = 1; distance < width; distance *= 2) {
      float factor = 2 * distance == width ? scale : 1; // the last stage scales
      for (int start = 0; start < width; start += 2 * distance) {
        long a = at + (long) start * Float.BYTES;
        long b = a + (long) distance * Float.BYTES;
        for (int i = 0; i < distance; i++) {
          float left = data.get(JAVA_FLOAT, a + (long) i * Float.BYTES);
          float right = data.get(JAVA_FLOAT, b + (long) i * Float.BYTES);
          data.set(JAVA_FLOAT, a + (long) i * Float.BYTES, (left + right) * factor);
          data.set(JAVA_FLOAT, b + (long) i * Float.BYTES, (left - right) * factor);
        }
      }
    }
  }
}

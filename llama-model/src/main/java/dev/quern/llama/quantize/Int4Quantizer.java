package dev.quern.llama.quantize;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.quern.data.Bf16;
import dev.quern.llama.bytes.LittleEndian;
import java.lang.foreign.MemorySegment;

/// INT4_Bg: blocks of g integers in -8 .. 7 with a BF16 scale each.
///
/// Of a few scales around the one that maps the block's extreme to -8, the one with the least sum
/// of squared errors is taken, each after a least-squares fit and after rounding to BF16, so that
/// what is compared is what a reader decodes. Like ggml's, a scale may be negative.
///
/// @param group weights of a block
record Int4Quantizer(int group) implements RowQuantizer {
  /// Steps that the extreme may have: 8 keeps it, less clips it in favour of the others, and more
  /// leaves the ends of the range unused.
  private static final float[] STEPS = {8, 7.5f, 7, 8.5f, 9, 6.5f, 6};

  @Override
  public void quantize(
      float[] x, MemorySegment data, long dataAt, MemorySegment scales, long scalesAt) {
    for (int b = 0; b < x.length; b += group, dataAt += group / 2, scalesAt += 2) {
      short bits = Bf16.fromFloat(scale(x, b));
      float scale = Bf16.toFloat(bits);
      LittleEndian.putI16(scales, scalesAt, bits);
      for (int j = 0; j < group / 2; j++) {
        int low = integer(x[b + 2 * j], scale) + 8;
        int high = integer(x[b + 2 * j + 1], scale) + 8;
        data.set(JAVA_BYTE, dataAt + j, (byte) (low | high << 4));
      }
    }
  }

  /// The best scale, not yet rounded; 0 for a block of zeros.
  private float scale(float[] x, int from) {
    float extreme = GgmlQuantizers.extreme(x, from, group);
    float best = 0;
    double least = Double.POSITIVE_INFINITY;
    for (float steps : STEPS) {
      float plain = rounded(extreme / -steps);
      double qx = 0;
      double qq = 0;
      for (int i = from; i < from + group; i++) {
        int q = integer(x[i], plain);
        qx += (double) q * x[i];
        qq += (double) q * q;
      }
      float fitted = qq == 0 ? plain : rounded((float) (qx / qq));
      for (float scale : new float[] {plain, fitted}) {
        double error = squaredError(x, from, scale);
        if (error < least) {
          least = error;
          best = scale;
        }
      }
    }
    return best;
  }

  private double squaredError(float[] x, int from, float scale) {
    double sum = 0;
    for (int i = from; i < from + group; i++) {
      double error = x[i] - (double) scale * integer(x[i], scale);
      sum += error * error;
    }
    return sum;
  }

  private static float rounded(float scale) {
    return Bf16.toFloat(Bf16.fromFloat(scale));
  }

  /// The nearest integer, ties to even; 0 where the scale is 0.
  private static int integer(float x, float scale) {
    return scale == 0 ? 0 : (int) Math.clamp(Math.rint(x / scale), -8, 7);
  }
}

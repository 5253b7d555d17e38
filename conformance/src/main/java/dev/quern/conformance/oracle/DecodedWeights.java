package dev.quern.conformance.oracle;

import dev.quern.data.BlockFormat;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/// Weights as rule F1 says they are, and the magnitudes that error bounds are relative to.
///
/// @param outputs rows
/// @param inputs columns
/// @param values `[outputs][inputs]`
/// @param magnitudes `[outputs][inputs]`: `abs(W)`, and `abs(scale * integer) + abs(offset)` in
///   formats with an offset, since kernels sum the two apart
public record DecodedWeights(int outputs, int inputs, float[] values, double[] magnitudes) {

  /// Decodes a matrix.
  ///
  /// @param data the data plane
  /// @param scales the scale plane, empty where there is none
  public static DecodedWeights decode(
      BlockFormat format, byte[] data, byte[] scales, int outputs, int inputs) {
    var decoded =
        new DecodedWeights(
            outputs, inputs, new float[outputs * inputs], new double[outputs * inputs]);
    ByteBuffer bytes = ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN);
    ByteBuffer plane = ByteBuffer.wrap(scales).order(ByteOrder.LITTLE_ENDIAN);
    int elements = format.blockElements();
    BlockLayout layout = BlockLayout.of(format.id());
    for (int at = 0; at < outputs * inputs; at++) {
      int block = at / elements;
      int q = layout == null ? 0 : layout.integer(data, block * format.blockBytes(), at % elements);
      decoded.decode(
          format.id(), q, bytes, block * format.blockBytes(), plane, block, at, at % elements);
    }
    return decoded;
  }

  private void decode(
      String format,
      int q,
      ByteBuffer data,
      int block,
      ByteBuffer plane,
      int blockIndex,
      int at,
      int e) {
    switch (format) {
      case "F32" -> set(at, data.getFloat(block), 1, 0);
      case "F16" -> set(at, half(data, block), 1, 0);
      case "BF16" -> set(at, Half.bf16(data.getShort(block)), 1, 0);
      case "Q8_0", "Q4_0", "Q5_0" -> set(at, half(data, block), q, 0);
      case "Q4_1", "Q5_1" -> set(at, half(data, block), q, half(data, block + 2));
      case "Q4_K", "Q5_K" -> {
        int scale = kScale(data, block + 4, e / 32);
        int min = kMin(data, block + 4, e / 32);
        set(at, half(data, block) * scale, q, -(half(data, block + 2) * min));
      }
      case "Q6_K" -> set(at, half(data, block + 208) * data.get(block + 192 + e / 16), q, 0);
      case "INT4_B32", "INT4_B64", "INT4_B128", "INT4_B256" ->
          set(at, Half.bf16(plane.getShort(2 * blockIndex)), q, 0);
      case "INT8_C" -> set(at, plane.getFloat(4 * (at / inputs)), q, 0);
      default -> throw new IllegalArgumentException("no decoder for weight format " + format);
    }
  }

  /// `scale * q + offset`, each operation rounded to F32. The products of the formats are exact in
  /// double precision, so a cast rounds them once.
  private void set(int at, double scale, int q, double offset) {
    float product = (float) ((double) (float) scale * q);
    values[at] = offset == 0 ? product : (float) ((double) product + (float) offset);
    magnitudes[at] = Math.abs((double) product) + Math.abs(offset);
  }

  private static double half(ByteBuffer data, int at) {
    return Half.f16(data.getShort(at));
  }

  private static int kScale(ByteBuffer data, int s, int j) {
    return j < 4
        ? data.get(s + j) & 63
        : data.get(s + j + 4) & 15 | (data.get(s + j - 4) >> 6 & 3) << 4;
  }

  private static int kMin(ByteBuffer data, int s, int j) {
    return j < 4
        ? data.get(s + j + 4) & 63
        : data.get(s + j + 4) >> 4 & 15 | (data.get(s + j) >> 6 & 3) << 4;
  }
}

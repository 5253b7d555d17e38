package dev.quern.conformance.linear;

import dev.quern.conformance.judge.Bounds;
import dev.quern.conformance.judge.Half;
import dev.quern.data.BlockFormat;
import dev.quern.data.ScalePlane;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.Map;

/// Weights as rule F1 says they are, and the magnitudes that error bounds are relative to. Large
/// matrices have rows that are alike: each of these is decoded once.
///
/// @param outputs rows
/// @param inputs columns
/// @param rows which row of `values` and `magnitudes` an output has, `[outputs]`
/// @param values `[rows that differ][inputs]`
/// @param magnitudes `[rows that differ][inputs]`: `abs(W)`, and `abs(scale * integer) +
///   abs(offset)` in formats with an offset, since kernels sum the two apart
/// @param slack how far from `values` a kernel's may be, `[rows that differ][inputs]`; empty where
///   they may not
public record DecodedWeights(
    int outputs, int inputs, int[] rows, float[] values, double[] magnitudes, double[] slack) {
  /// Smaller matrices are not searched for rows that are alike.
  private static final int SMALL = 1 << 18;

  private static final double[] NONE = {};

  /// What changes no number that it is added to, nor the sign of a zero.
  private static final double NO_OFFSET = -0.0;

  /// The bytes of a row.
  private record Row(ByteBuffer data, ByteBuffer scales) {
    /// Bytes that are looked at for a hash.
    private static final int SOME = 64;

    @Override
    public int hashCode() {
      return data.slice(0, Math.min(SOME, data.remaining())).hashCode();
    }
  }

  /// Decodes a matrix.
  ///
  /// @param data the data plane
  /// @param scales the scale plane, empty where there is none
  public static DecodedWeights decode(
      BlockFormat format, byte[] data, byte[] scales, int outputs, int inputs) {
    int[] rows = new int[outputs];
    int[] firsts = new int[outputs]; // the first output that has a row
    int different = 0;
    boolean all = (long) outputs * inputs <= SMALL;
    Map<Row, Integer> known = new HashMap<>();
    for (int o = 0; o < outputs; o++) {
      Integer same = all ? null : known.putIfAbsent(row(data, scales, o, outputs), different);
      rows[o] = same == null ? different : same;
      if (same == null) {
        firsts[different++] = o;
      }
    }
    int size = Math.multiplyExact(different, inputs);
    var decoded =
        new DecodedWeights(outputs, inputs, rows, new float[size], new double[size], NONE);
    ByteBuffer bytes = ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN);
    ByteBuffer plane = ByteBuffer.wrap(scales).order(ByteOrder.LITTLE_ENDIAN);
    for (int row = 0; row < different; row++) {
      decoded.decodeRow(format, row, firsts[row], bytes, plane);
    }
    return decoded;
  }

  private static Row row(byte[] data, byte[] scales, int output, int outputs) {
    int dataBytes = data.length / outputs;
    int scaleBytes = scales.length / outputs;
    return new Row(
        ByteBuffer.wrap(data, output * dataBytes, dataBytes).slice(),
        ByteBuffer.wrap(scales, output * scaleBytes, scaleBytes).slice());
  }

  /// These weights rounded to BF16 (rule L13).
  ///
  /// @param exact whether the format has no scales: its decoded weights can't differ from F1's
  public DecodedWeights toBf16(boolean exact) {
    int size = values.length;
    float[] rounded = new float[size];
    double[] roundedMagnitudes = new double[size];
    double[] allowed = exact ? NONE : new double[size];
    for (int i = 0; i < size; i++) {
      double value = Half.roundToBf16(values[i]);
      rounded[i] = (float) value;
      roundedMagnitudes[i] = Math.abs(value);
      if (!exact && Double.isFinite(value)) {
        double error = 4 * Bounds.U * magnitudes[i];
        allowed[i] =
            Math.max(
                Half.roundToBf16(values[i] + error) - value,
                value - Half.roundToBf16(values[i] - error));
      }
    }
    return new DecodedWeights(outputs, inputs, rows, rounded, roundedMagnitudes, allowed);
  }

  /// How far from `values` a kernel's weight may be.
  public double slackAt(int at) {
    return slack.length == 0 ? 0 : slack[at];
  }

  /// Where the row of an output begins in `values` and `magnitudes`.
  public int at(int output) {
    return rows[output] * inputs;
  }

  private void decodeRow(
      BlockFormat format, int row, int output, ByteBuffer data, ByteBuffer plane) {
    BlockLayout layout = BlockLayout.of(format.id());
    int elements = format.blockElements();
    int firstBlock = output * (inputs / elements);
    for (int i = 0; i < inputs; i++) {
      int block = firstBlock + i / elements;
      int at = block * format.blockBytes();
      int q = layout == null ? 0 : layout.integer(data.array(), at, i % elements);
      if (layout != null && layout.numbers() != null) {
        BlockLayout.Numbers n = layout.numbers();
        double offset = n.offset() < 0 ? NO_OFFSET : half(data, at + n.offset());
        set(row * inputs + i, n.scaleOf(data, at), q, offset);
      } else if (!format.scalePlane().equals(ScalePlane.INLINE)) {
        set(row * inputs + i, scale(format.id(), plane, output, block), q, NO_OFFSET);
      } else {
        decode(format.id(), q, data, at, row * inputs + i, i % elements);
      }
    }
  }

  /// The scale of a block of an output, from a plane.
  private static double scale(String format, ByteBuffer plane, int output, int block) {
    return switch (format) {
      case "INT4_B32", "INT4_B64", "INT4_B128", "INT4_B256" -> Half.bf16(plane.getShort(2 * block));
      case "INT8_C" -> plane.getFloat(4 * output);
      default -> throw undecoded(format);
    };
  }

  private static IllegalArgumentException undecoded(String format) {
    return new IllegalArgumentException("no decoder for weight format " + format);
  }

  private void decode(String format, int q, ByteBuffer data, int block, int at, int e) {
    switch (format) {
      case "F32" -> set(at, data.getFloat(block), 1, NO_OFFSET);
      case "F16" -> set(at, half(data, block), 1, NO_OFFSET);
      case "BF16" -> set(at, Half.bf16(data.getShort(block)), 1, NO_OFFSET);
      case "Q2_K" -> {
        int both = data.get(block + e / 16);
        double min = half(data, block + 82) * (both >> 4 & 15);
        set(at, half(data, block + 80) * (both & 15), q, -min);
      }
      case "Q3_K" -> {
        int lower = data.get(block + 96 + e / 16 % 8) >> 4 * (e / 128) & 15;
        int upper = data.get(block + 104 + e / 16 % 4) >> 2 * (e / 64) & 3;
        set(at, half(data, block + 108) * (lower + 16 * upper - 32), q, NO_OFFSET);
      }
      case "Q4_K", "Q5_K" -> {
        int sub = kScale(data, block + 4, e / 32);
        int min = kMin(data, block + 4, e / 32);
        set(at, half(data, block) * sub, q, -(half(data, block + 2) * min));
      }
      case "Q6_K" ->
          set(at, half(data, block + 208) * data.get(block + 192 + e / 16), q, NO_OFFSET);
      default -> throw undecoded(format);
    }
  }

  /// `scale * q + offset`, each operation rounded to F32. The products of the formats are exact in
  /// double precision, so a cast rounds them once.
  private void set(int at, double scale, int q, double offset) {
    float product = (float) ((double) (float) scale * q);
    values[at] = (float) ((double) product + (float) offset);
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

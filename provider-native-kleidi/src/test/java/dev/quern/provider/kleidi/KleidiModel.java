package dev.quern.provider.kleidi;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.quern.data.Bf16;
import dev.quern.data.WeightMatrix;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/// What KleidiAI computes, operation by operation, as read from its sources: results of its kernels
/// are compared with these bit for bit.
///
/// @param even whether ties of a row's elements go to even, as in libraries before 1.22 where kr /
///   sr is 8
record KleidiModel(boolean even) {
  /// A rounded row.
  ///
  /// @param q its elements
  /// @param z zero point, 0 where there is none
  /// @param s scale of each block, or of the row
  /// @param factor what results are multiplied with
  record Row(byte[] q, int z, float[] s, float factor) {}

  /// `qai8dxp`: `kai_lhs_quant_pack_qai8dxp_f32.c`.
  Row perRow(float[] x) {
    float hi = 0;
    float lo = 0;
    for (float v : x) {
      hi = Math.max(hi, v);
      lo = Math.min(lo, v);
    }
    float inverse = lo == hi ? 1 : 255 / (hi - lo);
    float s = inverse == 0 ? 0 : 1 / inverse;
    float low = lo * inverse;
    float high = hi * inverse;
    float z = (-128 + low) + (127 + high) > 0 ? -128 - low : 127 - high;
    int zero = (int) Math.rint(Math.clamp(z, -128f, 127f));
    byte[] q = new byte[x.length];
    for (int i = 0; i < x.length; i++) {
      q[i] = (byte) Math.clamp(round(x[i] * inverse) + zero, -128, 127);
    }
    return new Row(q, zero, new float[] {s}, 1);
  }

  /// `qsi8d32p`: `kai_lhs_quant_pack_qsi8d32p_f32.c`, with the scales that [PackedRows] puts in.
  Row blocks(float[] x) {
    float largest = 0;
    for (float v : x) {
      largest = Math.max(largest, Math.abs(v) / 127);
    }
    boolean inRange = largest >= 0x1p-14f && largest <= 0x1p15f || Float.isInfinite(1 / largest);
    int e = inRange ? 0 : Math.getExponent(largest);
    byte[] q = new byte[x.length];
    float[] s = new float[x.length / 32];
    for (int b = 0; b < s.length; b++) {
      float max = 0;
      for (int i = 32 * b; i < 32 * b + 32; i++) {
        max = Math.max(max, Math.abs(x[i]));
      }
      float d = max / 127;
      float r = d == 0 ? 0 : 1 / d;
      for (int i = 32 * b; i < 32 * b + 32; i++) {
        q[i] = (byte) round(x[i] * r);
      }
      s[b] = Float.float16ToFloat(Float.floatToFloat16(Math.scalb(d, -e)));
    }
    return new Row(q, 0, s, Math.scalb(1f, e));
  }

  private int round(float v) {
    return (int) (even ? Math.rint(v) : Math.copySign(Math.floor(Math.abs((double) v) + 0.5), v));
  }

  /// The rows as [RowPacking] draws them. Rows that fill up the last tile stay `filler`.
  static byte[] packed(
      RowPacking packing, Row[] rows, int inputs, int mr, int krOverSr, byte filler) {
    int length = Math.ceilDiv(inputs, 32) * 32;
    int scaleBytes = packing.blocks() ? length / 32 * 2 : 8;
    int tiles = Math.ceilDiv(rows.length, mr);
    ByteBuffer out =
        ByteBuffer.allocate(tiles * mr * (length + scaleBytes)).order(ByteOrder.LITTLE_ENDIAN);
    Arrays.fill(out.array(), filler);
    int each = packing == RowPacking.BLOCKS_SME ? 4 : krOverSr;
    for (int r = 0; r < rows.length; r++) {
      int tile = r / mr * mr * (length + scaleBytes);
      int slot = r % mr;
      for (int i = 0; i < length; i++) {
        // qai8dxp repeats the last element up to a multiple of 32
        byte q = rows[r].q[Math.min(i, inputs - 1)];
        int scales = packing == RowPacking.BLOCKS ? (i / 32 + 1) * mr * 2 : 0;
        out.put(tile + scales + (i / each * mr + slot) * each + i % each, q);
      }
      if (packing.blocks()) {
        for (int b = 0; b < length / 32; b++) {
          int at =
              packing == RowPacking.BLOCKS
                  ? b * mr * 34 + slot * 2
                  : length * mr + (b * mr + slot) * 2;
          out.putShort(tile + at, Float.floatToFloat16(rows[r].s[b]));
        }
      } else {
        out.putInt(tile + length * mr + 4 * slot, -rows[r].z);
        out.putFloat(tile + (length + 4) * mr + 4 * slot, rows[r].s[0]);
      }
    }
    return out.array();
  }

  /// Rows that stay floats, as [RowPacking] draws them.
  static byte[] packedFloats(RowPacking packing, float[][] rows, int mr) {
    int each = packing == RowPacking.BF16 ? 4 : 1;
    int bytes = packing == RowPacking.BF16 ? Short.BYTES : Float.BYTES;
    int length = Math.ceilDiv(rows[0].length, each) * each;
    int tiles = Math.ceilDiv(rows.length, mr);
    ByteBuffer out =
        ByteBuffer.allocate(tiles * mr * length * bytes).order(ByteOrder.LITTLE_ENDIAN);
    // BF16's packer fills up the last tile with its first row, SME's with zeros.
    for (int r = 0; r < (packing == RowPacking.BF16 ? tiles * mr : rows.length); r++) {
      float[] row = rows[r < rows.length ? r : r / mr * mr];
      for (int i = 0; i < length; i++) {
        float v = i < row.length ? row[i] : 0;
        int at = (r / mr * mr * length + (i / each * mr + r % mr) * each + i % each) * bytes;
        if (packing == RowPacking.BF16) {
          out.putShort(at, Bf16.fromFloat(v));
        } else {
          out.putFloat(at, v);
        }
      }
    }
    return out.array();
  }

  /// `qai8dxp x qsi4c32p`.
  ///
  /// @param chunk elements whose sum gets a rounding of its own in a packed row sum: 32 in packers
  ///   for NEON, 2 kr / sr in the portable one
  static float int4(Row x, WeightMatrix w, int o, int chunk) {
    int inputs = w.inputs();
    int block = w.format().blockElements();
    int[] q = new int[inputs];
    for (int i = 0; i < inputs; i++) {
      int pair = w.data().get(JAVA_BYTE, ((long) o * inputs + i) / 2);
      q[i] = (pair >>> 4 * (i % 2) & 15) - 8;
    }
    float acc = 0;
    float rowSum = 0;
    for (int b = 0; b < inputs / block; b++) {
      float scale = bf16(w, (long) o * (inputs / block) + b);
      int products = 0;
      for (int i = b * block; i < (b + 1) * block; i++) {
        products += x.q[i] * q[i];
      }
      acc = Math.fma(products, scale, acc);
      for (int i = b * block; i < (b + 1) * block; i += 32) {
        for (int c = 0; c < 16; c += chunk / 2) {
          int sum = 0;
          for (int j = i + c; j < i + c + chunk / 2; j++) {
            sum += q[j] + q[j + 16];
          }
          rowSum += sum * scale;
        }
      }
    }
    return Math.fma(rowSum, -x.z, acc) * x.s[0] + 0f;
  }

  /// `qsi8d32p x qsi4c32p`.
  static float q4(Row x, WeightMatrix w, int o) {
    int blocks = w.inputs() / 32;
    float acc = 0;
    for (int b = 0; b < blocks; b++) {
      long at = ((long) o * blocks + b) * 18;
      int products = 0;
      for (int i = 0; i < 16; i++) {
        int pair = w.data().get(JAVA_BYTE, at + 2 + i);
        products += x.q[32 * b + i] * ((pair & 15) - 8);
        products += x.q[32 * b + 16 + i] * ((pair >>> 4 & 15) - 8);
      }
      float scale = Float.float16ToFloat(w.data().get(JAVA_SHORT_UNALIGNED, at));
      acc = Math.fma(products, x.s[b] * scale, acc);
    }
    return acc * x.factor;
  }

  /// `f32 x f32p`.
  static float f32(float[] x, WeightMatrix w, int o) {
    float acc = 0;
    for (int i = 0; i < x.length; i++) {
      float weight = w.data().get(JAVA_FLOAT_UNALIGNED, 4L * ((long) o * x.length + i));
      acc = Math.fma(x[i], weight, acc);
    }
    return acc;
  }

  /// `qai8dxp x qsi8cxp`.
  static float int8(Row x, WeightMatrix w, int o) {
    int sum = 0;
    for (int i = 0; i < w.inputs(); i++) {
      sum += (x.q[i] - x.z) * w.data().get(JAVA_BYTE, (long) o * w.inputs() + i);
    }
    float scale = w.scales().get(JAVA_FLOAT_UNALIGNED, 4L * o);
    return sum * (scale * x.s[0]) + 0f;
  }

  private static float bf16(WeightMatrix w, long index) {
    return Bf16.toFloat(w.scales().get(JAVA_SHORT_UNALIGNED, 2 * index));
  }
}

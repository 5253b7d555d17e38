package dev.quern.conformance.mutants;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.quern.data.BlockFormat;
import dev.quern.data.F32Matrix;
import dev.quern.data.WeightMatrix;
import dev.quern.op.Numerics;
import java.lang.foreign.MemorySegment;
import java.util.Map;

/// The int8 numerics of SPEC.md, L6 and L7, for the formats that are integers times a scale. In
/// scratch:
///
/// ```
/// row of x   poison:f32 | zero:f32 | steps:f32[groups] | q:i8[inputs]
/// row of W   scales:f32[groups]    | w:i8[inputs]
/// ```
///
/// A group is 32 inputs (Q8_0, Q4_0: one block) or the whole row (INT8_C).
record IntegerRows(Fault fault, int inputs, int group, boolean symmetric) {
  private static final Map<BlockFormat, Numerics> NUMERICS =
      Map.of(
          BlockFormat.Q8_0, Numerics.INT8_SYM_32,
          BlockFormat.Q4_0, Numerics.INT8_SYM_32,
          BlockFormat.INT8_C, Numerics.INT8_ASYM_ROW);

  private static final int POISON = 0;
  private static final int ZERO = 4;
  private static final int STEPS = 8;

  static IntegerRows of(Fault fault, BlockFormat format, int inputs) {
    boolean symmetric = !format.equals(BlockFormat.INT8_C);
    return new IntegerRows(fault, inputs, symmetric ? 32 : inputs, symmetric);
  }

  /// The int8 numerics that fits a format, null where there is none.
  static Numerics numerics(BlockFormat format) {
    return NUMERICS.get(format);
  }

  private int groups() {
    return inputs / group;
  }

  long activationBytes() {
    return STEPS + 4L * groups() + inputs;
  }

  long weightBytes() {
    return 4L * groups() + inputs;
  }

  /// Rounds a row of x.
  void quantize(F32Matrix x, int row, MemorySegment scratch, long to) {
    float poison = 0;
    for (int i = 0; i < inputs; i++) {
      float v = value(x, row, i);
      poison = Float.isFinite(v) ? poison : Float.NaN;
    }
    scratch.set(JAVA_FLOAT, to + POISON, poison);
    if (!symmetric) {
      asymmetric(x, row, scratch, to);
    } else {
      for (int g = 0; g < groups(); g++) {
        symmetric(x, row, g, scratch, to);
      }
    }
  }

  /// Rule L6.
  private void symmetric(F32Matrix x, int row, int g, MemorySegment scratch, long to) {
    float max = 0;
    for (int i = g * group; i < (g + 1) * group; i++) {
      float v = value(x, row, i);
      max = Math.max(max, fault == Fault.GROUP_MAX_IS_SIGNED ? v : Math.abs(v));
    }
    float d = max / (fault == Fault.STEP_OF_128 ? 128 : 127);
    float r = 1 / d;
    if (fault == Fault.RECIPROCAL_APPROXIMATE) {
      r = Float.intBitsToFloat(Float.floatToRawIntBits(r) & -1 << 11);
    }
    boolean zero = d == 0 || Float.isInfinite(r);
    scratch.set(JAVA_FLOAT, to + STEPS + 4L * g, zero ? 0 : d);
    scratch.set(JAVA_FLOAT, to + ZERO, 0f);
    for (int i = g * group; i < (g + 1) * group; i++) {
      float scaled = zero ? 0 : value(x, row, i) * r;
      double q = fault == Fault.ROUNDS_TOWARDS_ZERO ? (int) scaled : halfAway(scaled);
      scratch.set(JAVA_BYTE, to + STEPS + 4L * groups() + i, (byte) Math.clamp(q, -128, 127));
    }
  }

  /// Rule L7.
  private void asymmetric(F32Matrix x, int row, MemorySegment scratch, long to) {
    float hi = 0;
    float lo = fault == Fault.ROW_MINIMUM_NOT_ZERO ? Float.POSITIVE_INFINITY : 0;
    for (int i = 0; i < inputs; i++) {
      hi = Math.max(hi, value(x, row, i));
      lo = Math.min(lo, value(x, row, i));
    }
    float inverse = lo == hi ? 1 : 255 / (hi - lo);
    float step = inverse == 0 || Float.isInfinite(inverse) ? 0 : 1 / inverse;
    float balance = (-128 + lo * inverse) + (127 + hi * inverse);
    float exactZero = balance > 0 ? -128 - lo * inverse : 127 - hi * inverse;
    int zero = (int) Math.rint(Math.clamp(exactZero, -128f, 127f));
    scratch.set(JAVA_FLOAT, to + ZERO, fault == Fault.ZERO_POINT_FORGOTTEN ? 0 : zero);
    scratch.set(JAVA_FLOAT, to + STEPS, step);
    for (int i = 0; i < inputs; i++) {
      double q = halfAway(step == 0 ? 0 : value(x, row, i) * inverse) + zero;
      scratch.set(JAVA_BYTE, to + STEPS + 4L + i, (byte) Math.clamp(q, -128, 127));
    }
  }

  private float value(F32Matrix x, int row, int i) {
    float v = x.get(row, i);
    return fault == Fault.NAN_EATEN && Float.isNaN(v) ? 0 : v;
  }

  private static double halfAway(float v) {
    return Math.copySign(Math.floor(Math.abs((double) v) + 0.5), v);
  }

  /// Loads a row of W.
  void load(WeightMatrix w, int row, MemorySegment scratch, long to) {
    MemorySegment data = w.data();
    boolean q4 = w.format().equals(BlockFormat.Q4_0);
    for (int g = 0; g < groups(); g++) {
      long at = ((long) row * groups() + g) * (q4 ? 18 : 34);
      float scale =
          !symmetric
              ? w.scales().get(JAVA_FLOAT_UNALIGNED, 4L * row)
              : Float.float16ToFloat(data.get(JAVA_SHORT_UNALIGNED, at));
      scratch.set(JAVA_FLOAT, to + 4L * g, scale);
      for (int i = 0; i < group; i++) {
        int value;
        if (!symmetric) {
          value = data.get(JAVA_BYTE, (long) row * inputs + i);
        } else if (q4) {
          value = (data.get(JAVA_BYTE, at + 2 + i % 16) >> i / 16 * 4 & 15) - 8;
        } else {
          value = data.get(JAVA_BYTE, at + 2 + i);
        }
        scratch.set(JAVA_BYTE, to + 4L * groups() + (long) g * group + i, (byte) value);
      }
    }
  }

  /// The product of a rounded row and a loaded one; NaN where x had a non-finite element.
  ///
  /// @param stepsOf the row of x whose steps are used: `activations`, but for a fault
  float dot(
      MemorySegment rows, long activations, long stepsOf, MemorySegment scratch, long weights) {
    int zero = (int) rows.get(JAVA_FLOAT, activations + ZERO);
    float sum = rows.get(JAVA_FLOAT, activations + POISON);
    for (int g = 0; g < groups(); g++) {
      int products = 0;
      int fours = 0;
      for (int i = g * group; i < (g + 1) * group; i++) {
        int q = rows.get(JAVA_BYTE, activations + STEPS + 4L * groups() + i) - zero;
        byte w = scratch.get(JAVA_BYTE, weights + 4L * groups() + i);
        int product = fault == Fault.SIGN_WRAP && q < 0 ? -q * (byte) -w : q * w;
        if (fault == Fault.INT16_SUMS) {
          int before = i % 4 == 0 ? 0 : fours;
          fours = Math.clamp((long) before + product, Short.MIN_VALUE, Short.MAX_VALUE);
          product = fours - before;
        }
        products += product;
      }
      double step = rows.get(JAVA_FLOAT, stepsOf + STEPS + 4L * g);
      sum += (float) (step * scratch.get(JAVA_FLOAT, weights + 4L * g) * products);
    }
    return sum;
  }
}

package dev.quern.provider.x86.interpreter;

import static dev.quern.provider.x86.interpreter.Lanes.f32;
import static dev.quern.provider.x86.interpreter.Lanes.f64;
import static dev.quern.provider.x86.interpreter.Lanes.i16;
import static dev.quern.provider.x86.interpreter.Lanes.i32;
import static dev.quern.provider.x86.interpreter.Lanes.set16;
import static dev.quern.provider.x86.interpreter.Lanes.set32;
import static dev.quern.provider.x86.interpreter.Lanes.setF32;
import static dev.quern.provider.x86.interpreter.Lanes.setF64;

import dev.quern.provider.x86.asm.Mask;
import dev.quern.provider.x86.asm.Op;
import java.util.Map;
import java.util.function.IntToDoubleFunction;

/// F32 and F64 arithmetic, which Java's is: IEEE 754, rounded once to nearest even. Which NaN comes
/// of NaNs is left open.
final class FloatMeanings {
  private FloatMeanings() {}

  private interface Binary {
    float of(float a, float b);
  }

  private interface Unary {
    float of(float a);
  }

  private interface Fused {
    float of(float destination, float first, float second);
  }

  static void define(Map<Op, Meaning> all) {
    binary(all, Op.VADDPS, Op.VADDSS, (a, b) -> a + b);
    binary(all, Op.VMULPS, Op.VMULSS, (a, b) -> a * b);
    binary(all, Op.VSUBPS, Op.VSUBSS, (a, b) -> a - b);
    binary(all, Op.VDIVPS, Op.VDIVSS, (a, b) -> a / b);
    // The second source where either is NaN, and where both are zero.
    binary(all, Op.VMINPS, Op.VMINSS, (a, b) -> a < b ? a : b);
    binary(all, Op.VMAXPS, Op.VMAXSS, (a, b) -> a > b ? a : b);
    fused(all, Op.VFMADD132PS, Op.VFMADD132SS, (d, a, b) -> Math.fma(d, b, a));
    fused(all, Op.VFMADD213PS, Op.VFMADD213SS, (d, a, b) -> Math.fma(a, d, b));
    fused(all, Op.VFMADD231PS, Op.VFMADD231SS, (d, a, b) -> Math.fma(a, b, d));
    fused(all, Op.VFNMADD231PS, Op.VFNMADD231SS, (d, a, b) -> Math.fma(-a, b, d));
    all.put(Op.VFMADDSUB213PS, FloatMeanings::subtractAndAdd);
    unary(all, Op.VSQRTPS, a -> (float) Math.sqrt(a));
    all.put(Op.VSQRTSS, m -> scalar(m, (float) Math.sqrt(f32(m.vector(2), 0))));
    all.put(Op.VSCALEFPS, m -> lanes(m, FloatMeanings::scale));
    all.put(Op.VHADDPS, FloatMeanings::horizontal);

    all.put(
        Op.VFMADD231PD,
        m ->
            doubles(
                m, e -> Math.fma(f64(m.vector(1), e), f64(m.vector(2), e), f64(m.vector(0), e))));
    all.put(Op.VCVTDQ2PD, m -> doubles(m, e -> i32(m.vector(1), e)));
    all.put(Op.VCVTPS2PD, m -> doubles(m, e -> f32(m.vector(1), e)));
    all.put(
        Op.VCVTPD2PS,
        m -> {
          byte[] result = new byte[64];
          for (int e = 0; e < m.bytes() / 8; e++) {
            setF32(result, e, (float) f64(m.vector(1), e));
          }
          m.setVector(result, m.bytes() / 2);
        });
    all.put(Op.VROUNDPS, m -> round(m, m.imm(2), 0));
    all.put(Op.VRNDSCALEPS, m -> round(m, m.imm(2), m.imm(2) >> 4));
    all.put(
        Op.VCVTDQ2PS,
        m -> {
          byte[] a = m.vector(1);
          byte[] result = new byte[64];
          for (int e = 0; e < m.bytes() / 4; e++) {
            setF32(result, e, i32(a, e));
          }
          m.setVector(result, m.bytes());
        });
    all.put(Op.VCVTSI2SS, m -> scalar(m, (float) (int) m.signed(2)));
    all.put(Op.VCVTPS2DQ, m -> toInt(m, true));
    all.put(Op.VCVTTPS2DQ, m -> toInt(m, false));
    all.put(
        Op.VCVTPH2PS,
        m -> {
          byte[] a = m.vector(1);
          byte[] result = new byte[64];
          for (int e = 0; e < m.bytes() / 4; e++) {
            setF32(result, e, Float.float16ToFloat(i16(a, e)));
          }
          m.setVector(result, m.bytes());
        });
    all.put(Op.VCVTPS2PH, FloatMeanings::toHalf);
    all.put(Op.VCMPPS, FloatMeanings::compare);
    all.put(
        Op.VMOVMSKPS,
        m -> {
          long signs = 0;
          for (int e = 0; e < m.bytes() / 4; e++) {
            signs |= (long) (i32(m.vector(1), e) >>> 31) << e;
          }
          m.setScalar(signs);
        });
  }

  private static void binary(Map<Op, Meaning> all, Op packed, Op single, Binary operator) {
    all.put(packed, m -> lanes(m, operator));
    all.put(single, m -> scalar(m, operator.of(f32(m.vector(1), 0), f32(m.vector(2), 0))));
  }

  private static void doubles(Machine m, IntToDoubleFunction element) {
    byte[] result = new byte[64];
    for (int e = 0; e < m.bytes() / 8; e++) {
      setF64(result, e, element.applyAsDouble(e));
    }
    m.setVector(result, m.bytes());
  }

  private static void lanes(Machine m, Binary operator) {
    byte[] a = m.vector(1);
    byte[] b = m.vector(2);
    byte[] result = new byte[64];
    for (int e = 0; e < m.bytes() / 4; e++) {
      setF32(result, e, operator.of(f32(a, e), f32(b, e)));
    }
    m.setVector(result, m.bytes());
  }

  private static void unary(Map<Op, Meaning> all, Op op, Unary operator) {
    all.put(
        op,
        m -> {
          byte[] a = m.vector(1);
          byte[] result = new byte[64];
          for (int e = 0; e < m.bytes() / 4; e++) {
            setF32(result, e, operator.of(f32(a, e)));
          }
          m.setVector(result, m.bytes());
        });
  }

  private static void fused(Map<Op, Meaning> all, Op packed, Op single, Fused operator) {
    all.put(
        packed,
        m -> {
          byte[] a = m.vector(1);
          byte[] b = m.vector(2);
          byte[] result = new byte[64];
          for (int e = 0; e < m.bytes() / 4; e++) {
            setF32(result, e, operator.of(f32(m.vector(0), e), f32(a, e), f32(b, e)));
          }
          m.setVector(result, m.bytes());
        });
    all.put(
        single,
        m -> {
          float value = operator.of(f32(m.vector(0), 0), f32(m.vector(1), 0), f32(m.vector(2), 0));
          byte[] result = m.vector(0).clone();
          setF32(result, 0, value);
          m.setVector(result, 16, 1);
        });
  }

  /// VFMADDSUB213PS: even elements subtract, odd ones add.
  private static void subtractAndAdd(Machine m) {
    byte[] result = new byte[64];
    for (int e = 0; e < m.bytes() / 4; e++) {
      float last = f32(m.vector(2), e);
      setF32(
          result, e, Math.fma(f32(m.vector(1), e), f32(m.vector(0), e), e % 2 == 0 ? -last : last));
    }
    m.setVector(result, m.bytes());
  }

  /// The rest of the 128 bits is the first source's.
  private static void scalar(Machine m, float value) {
    byte[] result = m.vector(1).clone();
    setF32(result, 0, value);
    m.setVector(result, 16, 1);
  }

  /// VSCALEFPS: `a * 2^floor(b)`, rounded once; its table "Special Cases".
  private static float scale(float a, float b) {
    boolean quiet = (Float.floatToRawIntBits(a) & 0x0040_0000) != 0;
    if (Float.isNaN(a) && quiet && Float.isInfinite(b)) {
      return b > 0 ? b : 0;
    }
    if (Float.isNaN(a) || Float.isNaN(b)) {
      return Float.NaN;
    }
    if (Float.isInfinite(b)) {
      // 0 * 2^inf and inf * 2^-inf are invalid.
      return b > 0 ? a * b : Float.isInfinite(a) ? Float.NaN : a * 0f;
    }
    // 2^±600 takes each F32 out of range, and none out of a double's.
    int exponent = (int) Math.clamp(Math.floor(b), -600.0, 600.0);
    return (float) (a * Math.scalb(1.0, exponent));
  }

  /// VHADDPS: in each 128 bits, sums of two neighbours of the first source, then of the second.
  private static void horizontal(Machine m) {
    byte[] result = new byte[64];
    for (int e = 0; e < m.bytes() / 4; e++) {
      byte[] source = m.vector((e & 3) < 2 ? 1 : 2);
      int from = (e & ~3) + 2 * (e & 1);
      setF32(result, e, f32(source, from) + f32(source, from + 1));
    }
    m.setVector(result, m.bytes());
  }

  /// To a multiple of `2^-fraction`. The immediate's bits 0 and 1 say how; bit 2 leaves it to
  /// MXCSR, which rounds to nearest even.
  private static void round(Machine m, int how, int fraction) {
    byte[] a = m.vector(1);
    byte[] result = new byte[64];
    double unit = Math.scalb(1.0, fraction);
    for (int e = 0; e < m.bytes() / 4; e++) {
      double value = f32(a, e) * unit;
      double rounded =
          switch ((how & 4) != 0 ? 0 : how & 3) {
            case 0 -> Math.rint(value);
            case 1 -> Math.floor(value);
            case 2 -> Math.ceil(value);
            default -> value < 0 ? Math.ceil(value) : Math.floor(value);
          };
      setF32(result, e, (float) (rounded / unit));
    }
    m.setVector(result, m.bytes());
  }

  /// What no int32 holds becomes the lowest: "integer indefinite".
  private static void toInt(Machine m, boolean nearest) {
    byte[] a = m.vector(1);
    byte[] result = new byte[64];
    for (int e = 0; e < m.bytes() / 4; e++) {
      double value = f32(a, e);
      double whole = nearest ? Math.rint(value) : value < 0 ? Math.ceil(value) : Math.floor(value);
      boolean fits = whole >= Integer.MIN_VALUE && whole <= Integer.MAX_VALUE;
      set32(result, e, fits ? (int) whole : Integer.MIN_VALUE);
    }
    m.setVector(result, m.bytes());
  }

  private static void toHalf(Machine m) {
    if ((m.imm(2) & 7) != 0 && (m.imm(2) & 4) == 0) {
      throw new Fault("rounding other than to nearest even is not interpreted");
    }
    byte[] a = m.vector(1);
    byte[] result = new byte[64];
    for (int e = 0; e < m.bytes() / 4; e++) {
      set16(result, e, Float.floatToFloat16(f32(a, e)));
    }
    m.setVector(result, m.bytes() / 2);
  }

  /// VCMPPS: to a vector of all ones or zeros, or to a mask.
  private static void compare(Machine m) {
    byte[] a = m.vector(1);
    byte[] b = m.vector(2);
    byte[] result = new byte[64];
    long bits = 0;
    for (int e = 0; e < m.bytes() / 4; e++) {
      boolean yes = holds(m.imm(3) & 31, f32(a, e), f32(b, e));
      set32(result, e, yes ? -1 : 0);
      bits |= yes && m.writes(e) ? 1L << e : 0;
    }
    if (m.operand(0) instanceof Mask) {
      m.setMask(bits);
    } else {
      m.setVector(result, m.bytes());
    }
  }

  /// SDM volume 2, CMPPD, table "Comparison Predicate": those from 16 on differ in exceptions.
  private static boolean holds(int predicate, float a, float b) {
    boolean unordered = Float.isNaN(a) || Float.isNaN(b);
    return switch (predicate & 15) {
      case 0 -> a == b;
      case 1 -> a < b;
      case 2 -> a <= b;
      case 3 -> unordered;
      case 4 -> a != b;
      case 5 -> !(a < b);
      case 6 -> !(a <= b);
      case 7 -> !unordered;
      case 8 -> a == b || unordered;
      case 9 -> !(a >= b);
      case 10 -> !(a > b);
      case 11 -> false;
      case 12 -> a != b && !unordered;
      case 13 -> a >= b;
      case 14 -> a > b;
      default -> true;
    };
  }
}

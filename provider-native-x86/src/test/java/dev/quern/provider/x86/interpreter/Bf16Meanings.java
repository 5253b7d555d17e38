package dev.quern.provider.x86.interpreter;

import static dev.quern.provider.x86.interpreter.Lanes.f32;
import static dev.quern.provider.x86.interpreter.Lanes.i32;
import static dev.quern.provider.x86.interpreter.Lanes.set16;
import static dev.quern.provider.x86.interpreter.Lanes.setF32;
import static dev.quern.provider.x86.interpreter.Lanes.u16;

import dev.quern.provider.x86.asm.Op;
import java.util.Map;

/// BF16 as AVX-512 and AMX have it: whatever MXCSR says, subnormals are zero, as operands and as
/// results, and rounding is to nearest even.
final class Bf16Meanings {
  private Bf16Meanings() {}

  static void define(Map<Op, Meaning> all) {
    all.put(
        Op.VCVTNEPS2BF16,
        m -> {
          byte[] a = m.vector(1);
          byte[] result = new byte[64];
          for (int e = 0; e < m.bytes() / 4; e++) {
            set16(result, e, toBf16(i32(a, e)));
          }
          m.setVector(result, m.bytes() / 2);
        });
    // The second source's below, the first's above.
    all.put(
        Op.VCVTNE2PS2BF16,
        m -> {
          byte[] high = m.vector(1);
          byte[] low = m.vector(2);
          byte[] result = new byte[64];
          int half = m.bytes() / 4;
          for (int e = 0; e < half; e++) {
            set16(result, e, toBf16(i32(low, e)));
            set16(result, half + e, toBf16(i32(high, e)));
          }
          m.setVector(result, m.bytes());
        });
    all.put(Op.VDPBF16PS, Bf16Meanings::dot);
  }

  /// SDM volume 2, VCVTNE2PS2BF16: `convert_fp32_to_bfloat16`.
  static int toBf16(int bits) {
    int exponent = bits & 0x7F80_0000;
    if (exponent == 0) {
      return bits >>> 16 & 0x8000;
    }
    if (exponent == 0x7F80_0000) {
      boolean nan = (bits & 0x007F_FFFF) != 0;
      return bits >>> 16 | (nan ? 0x40 : 0);
    }
    return bits + 0x7FFF + (bits >>> 16 & 1) >>> 16;
  }

  /// The F32 of a BF16.
  static float fromBf16(int bits) {
    return flush(Float.intBitsToFloat(bits << 16));
  }

  /// Zero for a subnormal, with its sign.
  static float flush(float value) {
    return Math.abs(value) < Float.MIN_NORMAL ? Math.copySign(0f, value) : value;
  }

  /// `c + a * b`, rounded once, subnormals as zero.
  static float fma(float a, float b, float c) {
    return flush(Math.fma(a, b, flush(c)));
  }

  /// VDPBF16PS: two products onto each sum, the odd one first.
  private static void dot(Machine m) {
    byte[] a = m.vector(1);
    byte[] b = m.vector(2);
    byte[] result = new byte[64];
    for (int e = 0; e < m.bytes() / 4; e++) {
      float sum = f32(m.vector(0), e);
      sum = fma(fromBf16(u16(a, 2 * e + 1)), fromBf16(u16(b, 2 * e + 1)), sum);
      sum = fma(fromBf16(u16(a, 2 * e)), fromBf16(u16(b, 2 * e)), sum);
      setF32(result, e, sum);
    }
    m.setVector(result, m.bytes());
  }
}

package dev.quern.provider.x86.interpreter;

import static dev.quern.provider.x86.interpreter.Lanes.i16;
import static dev.quern.provider.x86.interpreter.Lanes.i32;
import static dev.quern.provider.x86.interpreter.Lanes.i64;
import static dev.quern.provider.x86.interpreter.Lanes.set16;
import static dev.quern.provider.x86.interpreter.Lanes.set32;
import static dev.quern.provider.x86.interpreter.Lanes.set64;
import static dev.quern.provider.x86.interpreter.Lanes.u8;

import dev.quern.provider.x86.asm.Imm;
import dev.quern.provider.x86.asm.Mask;
import dev.quern.provider.x86.asm.Op;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.IntBinaryOperator;
import java.util.function.IntUnaryOperator;
import java.util.function.LongBinaryOperator;

/// Logic, shifts, arithmetic and dot products of integers.
final class IntegerMeanings {
  private IntegerMeanings() {}

  static void define(Map<Op, Meaning> all) {
    logic(all, (a, b) -> a & b, Op.VPAND, Op.VPANDD, Op.VPANDQ, Op.VANDPS);
    logic(all, (a, b) -> ~a & b, Op.VPANDN, Op.VPANDND, Op.VPANDNQ, Op.VANDNPS);
    logic(all, (a, b) -> a | b, Op.VPOR, Op.VPORD, Op.VPORQ, Op.VORPS);
    logic(all, (a, b) -> a ^ b, Op.VPXOR, Op.VPXORD, Op.VPXORQ, Op.VXORPS);
    all.put(Op.VPTERNLOGD, IntegerMeanings::ternary);

    shift(all, Op.VPSRLW, 2, (a, n) -> n > 15 ? 0 : (a & 0xFFFF) >>> n);
    shift(all, Op.VPSRAW, 2, (a, n) -> (short) a >> Math.min(n, 15));
    shift(all, Op.VPSLLW, 2, (a, n) -> n > 15 ? 0 : a << n);
    shift(all, Op.VPSRLD, 4, (a, n) -> n > 31 ? 0 : (a & 0xFFFF_FFFFL) >>> n);
    shift(all, Op.VPSRAD, 4, (a, n) -> (int) a >> Math.min(n, 31));
    shift(all, Op.VPSLLD, 4, (a, n) -> n > 31 ? 0 : a << n);
    shift(all, Op.VPSRLQ, 8, (a, n) -> n > 63 ? 0 : a >>> n);
    lanes32(all, Op.VPSRLVD, (a, n) -> (n & ~31) != 0 ? 0 : a >>> n);
    lanes32(all, Op.VPSRAVD, (a, n) -> a >> ((n & ~31) != 0 ? 31 : n));
    lanes32(all, Op.VPSLLVD, (a, n) -> (n & ~31) != 0 ? 0 : a << n);

    lanes8(all, Op.VPADDB, (a, b) -> a + b);
    lanes8(all, Op.VPSUBB, (a, b) -> a - b);
    lanes8(all, Op.VPSIGNB, (a, b) -> a * Integer.signum(b));
    lanes16(all, Op.VPADDW, (a, b) -> a + b);
    lanes16(all, Op.VPSUBW, (a, b) -> a - b);
    lanes16(all, Op.VPMULLW, (a, b) -> a * b);
    lanes32(all, Op.VPADDD, (a, b) -> a + b);
    lanes32(all, Op.VPSUBD, (a, b) -> a - b);
    lanes32(all, Op.VPMULLD, (a, b) -> a * b);
    lanes32(all, Op.VPMINSD, Math::min);
    lanes32(all, Op.VPMAXSD, Math::max);
    all.put(
        Op.VPABSB,
        m -> {
          byte[] result = new byte[64];
          for (int e = 0; e < m.bytes(); e++) {
            result[e] = (byte) Math.abs(m.vector(1)[e]);
          }
          m.setVector(result, m.bytes());
        });
    all.put(Op.VPMADDUBSW, IntegerMeanings::unsignedBySigned);
    all.put(Op.VPMADDWD, m -> pairs(m, false));
    all.put(Op.VPDPWSSD, m -> pairs(m, true));
    all.put(Op.VPDPBUSD, IntegerMeanings::dotBytes);

    compare(all, Op.VPCMPEQB, 1, (a, b) -> a == b);
    compare(all, Op.VPCMPEQD, 4, (a, b) -> a == b);
    compare(all, Op.VPCMPGTB, 1, (a, b) -> a > b);
    compare(all, Op.VPTESTMB, 1, (a, b) -> (a & b) != 0);
    all.put(
        Op.VPMOVM2B,
        m -> {
          byte[] result = new byte[64];
          for (int e = 0; e < m.bytes(); e++) {
            result[e] = (byte) -(m.mask(1) >>> e & 1);
          }
          m.setVector(result, m.bytes());
        });
    all.put(Op.VPACKSSWB, m -> pack(m, 2, IntegerMeanings::int8));
    all.put(Op.VPACKUSWB, m -> pack(m, 2, v -> Math.clamp(v, 0, 255)));
    all.put(Op.VPACKSSDW, m -> pack(m, 4, IntegerMeanings::int16));
    all.put(Op.VPACKUSDW, m -> pack(m, 4, v -> Math.clamp(v, 0, 0xFFFF)));
  }

  private interface Comparison {
    boolean holds(int a, int b);
  }

  /// To a vector of all ones or zeros under VEX, to a mask under EVEX.
  private static void compare(Map<Op, Meaning> all, Op op, int bytes, Comparison comparison) {
    all.put(
        op,
        m -> {
          byte[] a = m.vector(1);
          byte[] b = m.vector(2);
          byte[] result = new byte[64];
          long bits = 0;
          for (int e = 0; e < m.bytes() / bytes; e++) {
            boolean holds =
                bytes == 1 ? comparison.holds(a[e], b[e]) : comparison.holds(i32(a, e), i32(b, e));
            Arrays.fill(result, e * bytes, (e + 1) * bytes, (byte) (holds ? -1 : 0));
            bits |= holds && m.writes(e) ? 1L << e : 0;
          }
          if (m.operand(0) instanceof Mask) {
            m.setMask(bits);
          } else {
            m.setVector(result, m.bytes());
          }
        });
  }

  private static int int8(int value) {
    return Math.clamp(value, Byte.MIN_VALUE, Byte.MAX_VALUE);
  }

  private static int int16(int value) {
    return Math.clamp(value, Short.MIN_VALUE, Short.MAX_VALUE);
  }

  private static void logic(Map<Op, Meaning> all, LongBinaryOperator operator, Op... ops) {
    for (Op op : List.of(ops)) {
      all.put(
          op,
          m -> {
            byte[] a = m.vector(1);
            byte[] b = m.vector(2);
            byte[] result = new byte[64];
            for (int e = 0; e < m.bytes() / 8; e++) {
              set64(result, e, operator.applyAsLong(i64(a, e), i64(b, e)));
            }
            m.setVector(result, m.bytes());
          });
    }
  }

  /// Each bit of the result is the immediate's bit at `4 a + 2 b + c`; a is the destination's.
  private static void ternary(Machine m) {
    int table = m.imm(3);
    byte[] result = new byte[64];
    for (int e = 0; e < m.bytes(); e++) {
      int a = m.vector(0)[e];
      int b = m.vector(1)[e];
      int c = m.vector(2)[e];
      int bits = 0;
      for (int bit = 0; bit < 8; bit++) {
        int index = (a >> bit & 1) << 2 | (b >> bit & 1) << 1 | c >> bit & 1;
        bits |= (table >> index & 1) << bit;
      }
      result[e] = (byte) bits;
    }
    m.setVector(result, m.bytes());
  }

  /// By an immediate, or by the lowest 64 bits of an xmm register: counts are unsigned.
  private static void shift(Map<Op, Meaning> all, Op op, int bytes, LongBinaryOperator operator) {
    all.put(
        op,
        m -> {
          long count = m.operand(2) instanceof Imm ? m.imm(2) : i64(m.vector(2), 0);
          count = count < 0 ? Long.MAX_VALUE : count;
          byte[] a = m.vector(1);
          byte[] result = new byte[64];
          for (int e = 0; e < m.bytes() / bytes; e++) {
            switch (bytes) {
              case 2 -> set16(result, e, (int) operator.applyAsLong(i16(a, e), count));
              case 4 -> set32(result, e, (int) operator.applyAsLong(i32(a, e), count));
              default -> set64(result, e, operator.applyAsLong(i64(a, e), count));
            }
          }
          m.setVector(result, m.bytes());
        });
  }

  private static void lanes8(Map<Op, Meaning> all, Op op, IntBinaryOperator operator) {
    all.put(
        op,
        m -> {
          byte[] a = m.vector(1);
          byte[] b = m.vector(2);
          byte[] result = new byte[64];
          for (int e = 0; e < m.bytes(); e++) {
            result[e] = (byte) operator.applyAsInt(a[e], b[e]);
          }
          m.setVector(result, m.bytes());
        });
  }

  private static void lanes16(Map<Op, Meaning> all, Op op, IntBinaryOperator operator) {
    all.put(
        op,
        m -> {
          byte[] a = m.vector(1);
          byte[] b = m.vector(2);
          byte[] result = new byte[64];
          for (int e = 0; e < m.bytes() / 2; e++) {
            set16(result, e, operator.applyAsInt(i16(a, e), i16(b, e)));
          }
          m.setVector(result, m.bytes());
        });
  }

  private static void lanes32(Map<Op, Meaning> all, Op op, IntBinaryOperator operator) {
    all.put(
        op,
        m -> {
          byte[] a = m.vector(1);
          byte[] b = m.vector(2);
          byte[] result = new byte[64];
          for (int e = 0; e < m.bytes() / 4; e++) {
            set32(result, e, operator.applyAsInt(i32(a, e), i32(b, e)));
          }
          m.setVector(result, m.bytes());
        });
  }

  /// VPMADDUBSW: u8 of the first source by s8 of the second, sums of two saturated to int16.
  private static void unsignedBySigned(Machine m) {
    byte[] a = m.vector(1);
    byte[] b = m.vector(2);
    byte[] result = new byte[64];
    for (int e = 0; e < m.bytes() / 2; e++) {
      set16(result, e, int16(u8(a, 2 * e) * b[2 * e] + u8(a, 2 * e + 1) * b[2 * e + 1]));
    }
    m.setVector(result, m.bytes());
  }

  /// VPMADDWD, VPDPWSSD: s16 by s16, sums of two wrap.
  private static void pairs(Machine m, boolean accumulate) {
    byte[] a = m.vector(1);
    byte[] b = m.vector(2);
    byte[] result = new byte[64];
    for (int e = 0; e < m.bytes() / 4; e++) {
      int sum = accumulate ? i32(m.vector(0), e) : 0;
      sum += i16(a, 2 * e) * i16(b, 2 * e);
      sum += i16(a, 2 * e + 1) * i16(b, 2 * e + 1);
      set32(result, e, sum);
    }
    m.setVector(result, m.bytes());
  }

  /// VPDPBUSD: u8 of the first source by s8 of the second, sums of four wrap.
  private static void dotBytes(Machine m) {
    byte[] a = m.vector(1);
    byte[] b = m.vector(2);
    byte[] result = new byte[64];
    for (int e = 0; e < m.bytes() / 4; e++) {
      int sum = i32(m.vector(0), e);
      for (int i = 4 * e; i < 4 * e + 4; i++) {
        sum += u8(a, i) * b[i];
      }
      set32(result, e, sum);
    }
    m.setVector(result, m.bytes());
  }

  /// Within each 128 bits: the first source's elements, then the second's.
  private static void pack(Machine m, int bytes, IntUnaryOperator saturate) {
    byte[] result = new byte[64];
    int perLane = 16 / bytes;
    for (int lane = 0; lane < m.bytes() / 16; lane++) {
      for (int e = 0; e < 2 * perLane; e++) {
        byte[] source = m.vector(e < perLane ? 1 : 2);
        int from = lane * perLane + e % perLane;
        int value = saturate.applyAsInt(bytes == 2 ? i16(source, from) : i32(source, from));
        if (bytes == 2) {
          result[lane * 16 + e] = (byte) value;
        } else {
          set16(result, lane * 8 + e, value);
        }
      }
    }
    m.setVector(result, m.bytes());
  }
}

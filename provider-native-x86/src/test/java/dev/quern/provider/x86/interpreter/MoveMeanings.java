package dev.quern.provider.x86.interpreter;

import dev.quern.provider.x86.asm.Gp;
import dev.quern.provider.x86.asm.Imm;
import dev.quern.provider.x86.asm.Mask;
import dev.quern.provider.x86.asm.Op;
import dev.quern.provider.x86.asm.Vec;
import java.util.List;
import java.util.Map;
import java.util.function.IntUnaryOperator;

/// Moves of vectors, parts of them and masks; conversions between widths of integers; broadcasts.
final class MoveMeanings {
  private MoveMeanings() {}

  static void define(Map<Op, Meaning> all) {
    all.put(Op.VZEROUPPER, Machine::zeroUpper);
    for (Op op :
        List.of(Op.VMOVUPS, Op.VMOVDQU, Op.VMOVDQU8, Op.VMOVDQU16, Op.VMOVDQU32, Op.VMOVDQU64)) {
      all.put(op, m -> m.setVector(m.underMask(1), m.bytes()));
    }
    all.put(Op.VMOVAPS, MoveMeanings::aligned);
    all.put(Op.VMOVD, m -> element(m, 4));
    all.put(Op.VMOVQ, m -> element(m, 8));
    all.put(Op.VMOVSS, m -> scalar(m, 4));
    all.put(Op.VMOVSD, m -> scalar(m, 8));
    widening(all, Op.VPMOVSXBW, 1, 2, true);
    widening(all, Op.VPMOVSXBD, 1, 4, true);
    widening(all, Op.VPMOVSXWD, 2, 4, true);
    widening(all, Op.VPMOVZXBW, 1, 2, false);
    widening(all, Op.VPMOVZXBD, 1, 4, false);
    widening(all, Op.VPMOVZXWD, 2, 4, false);
    narrowing(all, Op.VPMOVDB, v -> v);
    narrowing(all, Op.VPMOVSDB, v -> Math.clamp(v, Byte.MIN_VALUE, Byte.MAX_VALUE));
    for (Op op : List.of(Op.VEXTRACTF128, Op.VEXTRACTI128, Op.VEXTRACTF32X4, Op.VEXTRACTI32X4)) {
      all.put(op, m -> extract(m, 16));
    }
    all.put(Op.VEXTRACTF64X4, m -> extract(m, 32));
    all.put(Op.VEXTRACTI64X4, m -> extract(m, 32));
    for (Op op : List.of(Op.VINSERTF128, Op.VINSERTI128, Op.VINSERTF32X4, Op.VINSERTI32X4)) {
      all.put(op, m -> insert(m, 16));
    }
    all.put(
        Op.VPINSRW,
        m -> {
          byte[] result = m.vector(1).clone();
          Lanes.set16(result, m.imm(3) & 7, Lanes.i16(m.vector(2), 0));
          m.setVector(result, 16);
        });
    all.put(Op.VINSERTF64X4, m -> insert(m, 32));
    all.put(Op.VINSERTI64X4, m -> insert(m, 32));
    broadcast(all, 1, Op.VPBROADCASTB);
    broadcast(all, 2, Op.VPBROADCASTW);
    broadcast(all, 4, Op.VPBROADCASTD, Op.VBROADCASTSS);
    broadcast(all, 8, Op.VPBROADCASTQ);
    broadcast(
        all, 16, Op.VBROADCASTF128, Op.VBROADCASTI128, Op.VBROADCASTF32X4, Op.VBROADCASTI32X4);
    broadcast(all, 32, Op.VBROADCASTI64X4);
    all.put(Op.VMASKMOVPS, MoveMeanings::maskMove);
    mask(all, Op.KMOVW, 16);
    mask(all, Op.KMOVD, 32);
    mask(all, Op.KMOVQ, 64);
    all.put(
        Op.KORTESTW,
        m -> {
          long or = (m.mask(0) | m.mask(1)) & 0xFFFF;
          m.zero = or == 0;
          m.carry = or == 0xFFFF;
          m.sign = false;
          m.overflow = false;
          m.flagsDefined = true;
        });
  }

  private static void aligned(Machine m) {
    for (int i = 0; i < 2; i++) {
      if (m.inMemory(i) && m.address(i) % m.bytes() != 0) {
        throw new Fault("the address is no multiple of " + m.bytes());
      }
    }
    m.setVector(m.underMask(1), m.bytes());
  }

  /// VMOVD, VMOVQ: an element from or to a vector, whose rest becomes zero.
  private static void element(Machine m, int bytes) {
    if (m.operand(0) instanceof Vec) {
      byte[] result = new byte[64];
      if (m.operand(1) instanceof Vec) {
        System.arraycopy(m.vector(1), 0, result, 0, bytes);
      } else {
        Lanes.set64(result, 0, Machine.clip(m.signed(1), bytes * 8));
      }
      m.setVector(result, 16);
    } else {
      long value = Lanes.i64(m.vector(1), 0);
      m.setScalar(bytes == 4 ? (int) value : value);
    }
  }

  /// VMOVSS, VMOVSD: from memory the rest is zero, from registers it is the first source's.
  private static void scalar(Machine m, int bytes) {
    if (m.operands() == 3) {
      byte[] result = m.vector(1).clone();
      System.arraycopy(m.vector(2), 0, result, 0, bytes);
      m.setVector(result, 16, 1);
    } else if (m.inMemory(0)) {
      m.setVector(m.vector(1), bytes);
    } else {
      m.setVector(m.underMask(1), 16, 1);
    }
  }

  private static void widening(Map<Op, Meaning> all, Op op, int from, int to, boolean signed) {
    all.put(
        op,
        m -> {
          byte[] source = m.vector(1);
          byte[] result = new byte[64];
          for (int e = 0; e < m.bytes() / to; e++) {
            int value =
                from == 1
                    ? signed ? source[e] : Lanes.u8(source, e)
                    : signed ? Lanes.i16(source, e) : Lanes.u16(source, e);
            if (to == 2) {
              Lanes.set16(result, e, value);
            } else {
              Lanes.set32(result, e, value);
            }
          }
          m.setVector(result, m.bytes());
        });
  }

  private static void narrowing(Map<Op, Meaning> all, Op op, IntUnaryOperator convert) {
    all.put(
        op,
        m -> {
          byte[] result = new byte[64];
          for (int e = 0; e < m.bytes() / 4; e++) {
            result[e] = (byte) convert.applyAsInt(Lanes.i32(m.vector(1), e));
          }
          m.setVector(result, m.bytes() / 4);
        });
  }

  private static void extract(Machine m, int bytes) {
    byte[] result = new byte[64];
    int part = m.imm(2) & m.bytes() / bytes - 1;
    System.arraycopy(m.vector(1), part * bytes, result, 0, bytes);
    m.setVector(result, bytes);
  }

  private static void insert(Machine m, int bytes) {
    byte[] result = m.vector(1).clone();
    int part = m.imm(3) & m.bytes() / bytes - 1;
    System.arraycopy(m.vector(2), 0, result, part * bytes, bytes);
    m.setVector(result, m.bytes());
  }

  private static void broadcast(Map<Op, Meaning> all, int bytes, Op... ops) {
    for (Op op : ops) {
      all.put(
          op,
          m -> {
            byte[] result = new byte[64];
            if (m.operand(1) instanceof Gp) {
              Lanes.set64(result, 0, m.signed(1));
            } else {
              System.arraycopy(m.vector(1), 0, result, 0, bytes);
            }
            for (int at = bytes; at < m.bytes(); at++) {
              result[at] = result[at - bytes];
            }
            m.setVector(result, m.bytes());
          });
    }
  }

  /// Elements whose sign in the mask is set; loads make others zero, stores leave them. No other is
  /// accessed.
  private static void maskMove(Machine m) {
    boolean load = m.inMemory(2);
    byte[] mask = m.vector(1);
    byte[] data = load ? new byte[64] : m.vector(2);
    for (int e = 0; e < m.bytes() / 4; e++) {
      if (Lanes.i32(mask, e) < 0) {
        if (load) {
          m.memory.read(m.address(2) + 4L * e, data, 4 * e, 4);
        } else {
          m.memory.write(m.address(0) + 4L * e, data, 4 * e, 4);
        }
      }
    }
    if (load) {
      m.setVector(data, m.bytes());
    }
  }

  private static void mask(Map<Op, Meaning> all, Op op, int bits) {
    all.put(
        op,
        m -> {
          long value =
              switch (m.operand(1)) {
                case Mask k -> m.mask(1);
                case Imm i -> throw new Fault("a mask from an immediate");
                default -> m.signed(1);
              };
          value = Machine.clip(value, bits);
          if (m.operand(0) instanceof Mask) {
            m.setMask(value);
          } else {
            m.setScalar(value);
          }
        });
  }
}

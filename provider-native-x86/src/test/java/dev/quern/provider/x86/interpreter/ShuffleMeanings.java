package dev.quern.provider.x86.interpreter;

import dev.quern.provider.x86.asm.Op;
import java.util.Map;

/// Shuffles: each element of the result is one of the sources', or zero.
final class ShuffleMeanings {
  private static final int LANE = 16;

  private ShuffleMeanings() {}

  static void define(Map<Op, Meaning> all) {
    all.put(
        Op.VPSHUFB,
        m ->
            each(
                m,
                1,
                (result, at) -> {
                  int index = m.vector(2)[at];
                  return index < 0 ? 0 : m.vector(1)[(at & -LANE) + (index & 15)];
                }));
    all.put(Op.VPSHUFD, m -> copy(m, 4, e -> 1, e -> (e & ~3) + (m.imm(2) >> 2 * (e & 3) & 3)));
    all.put(Op.VPERMQ, m -> copy(m, 8, e -> 1, e -> (e & ~3) + (m.imm(2) >> 2 * (e & 3) & 3)));
    all.put(
        Op.VSHUFPS,
        m -> copy(m, 4, e -> (e & 3) < 2 ? 1 : 2, e -> (e & ~3) + (m.imm(3) >> 2 * (e & 3) & 3)));
    all.put(Op.VPERMILPS, m -> copy(m, 4, e -> 1, e -> (e & ~3) + (m.imm(2) >> 2 * (e & 3) & 3)));
    all.put(Op.VMOVSHDUP, m -> copy(m, 4, e -> 1, e -> e | 1));
    all.put(Op.VPALIGNR, ShuffleMeanings::alignInLanes);
    all.put(Op.VALIGND, ShuffleMeanings::align);
    all.put(Op.VPERMD, m -> copy(m, 4, e -> 2, e -> Lanes.i32(m.vector(1), e)));
    all.put(Op.VPERMPS, m -> copy(m, 4, e -> 2, e -> Lanes.i32(m.vector(1), e)));
    all.put(Op.VPERMW, m -> copy(m, 2, e -> 2, e -> Lanes.i16(m.vector(1), e)));
    all.put(Op.VPERMB, m -> copy(m, 1, e -> 2, e -> m.vector(1)[e]));
    Choice table = m -> (e -> (Lanes.i32(m.vector(1), e) & m.bytes() / 4) == 0 ? 0 : 2);
    for (Op op : new Op[] {Op.VPERMT2D, Op.VPERMT2PS}) {
      all.put(op, m -> copy(m, 4, table.of(m), e -> Lanes.i32(m.vector(1), e)));
    }
    all.put(Op.VPERM2F128, ShuffleMeanings::halves);
    all.put(Op.VPERM2I128, ShuffleMeanings::halves);
    all.put(Op.VSHUFI32X4, ShuffleMeanings::quarters);
    interleave(all, Op.VPUNPCKLBW, 1, 0);
    interleave(all, Op.VPUNPCKLWD, 2, 0);
    interleave(all, Op.VPUNPCKLDQ, 4, 0);
    interleave(all, Op.VPUNPCKLQDQ, 8, 0);
    interleave(all, Op.VPUNPCKHBW, 1, 1);
    interleave(all, Op.VPUNPCKHWD, 2, 1);
    interleave(all, Op.VPUNPCKHDQ, 4, 1);
    interleave(all, Op.VPUNPCKHQDQ, 8, 1);
    interleave(all, Op.VUNPCKLPS, 4, 0);
    interleave(all, Op.VUNPCKHPS, 4, 1);
    all.put(Op.VPBLENDD, m -> copy(m, 4, e -> (m.imm(3) >> e & 1) == 1 ? 2 : 1, e -> e));
    all.put(Op.VBLENDVPS, m -> copy(m, 4, e -> Lanes.i32(m.vector(3), e) < 0 ? 2 : 1, e -> e));
    all.put(Op.VBLENDMPS, ShuffleMeanings::blendByMask);
  }

  private interface Choice {
    Of of(Machine m);
  }

  /// A number for an element of the result.
  private interface Of {
    int of(int element);
  }

  private interface Byte2 {
    int of(byte[] result, int at);
  }

  private static void each(Machine m, int bytes, Byte2 value) {
    byte[] result = new byte[64];
    for (int at = 0; at < m.bytes(); at += bytes) {
      result[at] = (byte) value.of(result, at);
    }
    m.setVector(result, m.bytes());
  }

  /// Element e of the result is an element of an operand.
  ///
  /// @param operand which operand
  /// @param index which of its elements, modulo their number
  private static void copy(Machine m, int bytes, Of operand, Of index) {
    byte[] result = new byte[64];
    int elements = m.bytes() / bytes;
    byte[][] sources = new byte[4][];
    for (int e = 0; e < elements; e++) {
      int source = operand.of(e);
      if (sources[source] == null) {
        sources[source] = m.vector(source);
      }
      int from = index.of(e) & elements - 1;
      System.arraycopy(sources[source], from * bytes, result, e * bytes, bytes);
    }
    m.setVector(result, m.bytes());
  }

  /// VPALIGNR: in each 128 bits, the first source above the second, shifted right by bytes.
  private static void alignInLanes(Machine m) {
    int shift = m.imm(3);
    byte[] result = new byte[64];
    for (int at = 0; at < m.bytes(); at++) {
      int from = (at & 15) + shift;
      int lane = at & -LANE;
      result[at] =
          from < 16
              ? m.vector(2)[lane + from]
              : from < 32 ? m.vector(1)[lane + from - 16] : (byte) 0;
    }
    m.setVector(result, m.bytes());
  }

  /// VALIGND: the first source above the second, shifted right by elements.
  private static void align(Machine m) {
    int elements = m.bytes() / 4;
    int shift = m.imm(3) & elements - 1;
    copy(m, 4, e -> e + shift < elements ? 2 : 1, e -> e + shift);
  }

  /// VPERM2I128: each half is one of four, or zero.
  private static void halves(Machine m) {
    byte[] result = new byte[64];
    for (int half = 0; half < 2; half++) {
      int control = m.imm(3) >> 4 * half;
      if ((control & 8) == 0) {
        byte[] source = m.vector((control & 2) == 0 ? 1 : 2);
        System.arraycopy(source, (control & 1) * LANE, result, half * LANE, LANE);
      }
    }
    m.setVector(result, m.bytes());
  }

  /// VSHUFI32X4: lanes of the first source, then of the second.
  private static void quarters(Machine m) {
    int lanes = m.bytes() / LANE;
    byte[] result = new byte[64];
    int bits = lanes / 2;
    for (int lane = 0; lane < lanes; lane++) {
      int from = m.imm(3) >> bits * lane & lanes - 1;
      byte[] source = m.vector(lane < lanes / 2 ? 1 : 2);
      System.arraycopy(source, from * LANE, result, lane * LANE, LANE);
    }
    m.setVector(result, m.bytes());
  }

  /// Elements of both sources in turn, from the lower or upper half of each 128 bits.
  private static void interleave(Map<Op, Meaning> all, Op op, int bytes, int half) {
    int perLane = LANE / bytes;
    all.put(
        op,
        m ->
            copy(
                m,
                bytes,
                e -> 1 + (e & 1),
                e -> (e & -perLane) + half * perLane / 2 + (e & perLane - 1) / 2));
  }

  /// VBLENDMPS: the mask chooses, and does not keep the destination.
  private static void blendByMask(Machine m) {
    byte[] result = new byte[64];
    for (int e = 0; e < m.bytes() / 4; e++) {
      if (m.writes(e)) {
        System.arraycopy(m.vector(2), 4 * e, result, 4 * e, 4);
      } else if (!m.zeroing()) {
        System.arraycopy(m.vector(1), 4 * e, result, 4 * e, 4);
      }
    }
    m.setVector(result, m.bytes(), 0);
  }
}

package dev.quern.provider.x86.activation;

import static dev.quern.provider.x86.activation.AttentionLayout.POSITIONS;
import static dev.quern.provider.x86.asm.Gp.R13;
import static dev.quern.provider.x86.asm.Gp.R14;
import static dev.quern.provider.x86.asm.Gp.R15;
import static dev.quern.provider.x86.asm.Gp.RAX;
import static dev.quern.provider.x86.asm.Gp.RBP;
import static dev.quern.provider.x86.asm.Gp.RBX;
import static dev.quern.provider.x86.asm.Gp.RCX;
import static dev.quern.provider.x86.asm.Gp.RDI;
import static dev.quern.provider.x86.asm.Gp.RDX;
import static dev.quern.provider.x86.asm.Gp.RSI;
import static dev.quern.provider.x86.asm.Mem.ptr;

import dev.quern.provider.x86.asm.Assembler;
import dev.quern.provider.x86.asm.Label;
import dev.quern.provider.x86.asm.Mem;
import dev.quern.provider.x86.asm.Op;
import dev.quern.provider.x86.asm.Vec;

/// What [AttentionCode] does for one query and one tile: rbx at the query, rbp at its state, r13 at
/// the tile, r14 positions that it sees. The tile is `[position][d]`, and so:
///
///     scores    a register for each position of a group, whose lanes are d modulo lanes; then all of
///               them at once become one register whose lanes are positions
///     weights   lanes are positions
///     values    lanes are d, as in `out`
///
/// Registers of each:
///
///     scores    0 .. lanes - 1 sums     lanes: q, spare
///     weights   0 .. 3 weights   4 the maximum   5 correction   6 scale, spare, total   7 .. 9 [Exp]
///     values    0 the weight     5 correction    6 .. 13 sums
final class AttentionQuery {
  /// Vectors of `out` that are summed at once.
  private static final int BLOCK = 8;

  private static final int LINE = 64;

  /// Queries that ask for the next tile's cache lines, a part each.
  private static final int ASKING = 4;

  /// Bytes of the next tile's keys that were asked for, and of its values.
  static final Mem ASKED = ptr(RDI, 80);

  private static final Mem SCALE = ptr(RDI, 72);

  private final AttentionLayout layout;
  private final Lanes lanes;
  private final Assembler a;
  private final Label visible;

  AttentionQuery(Lanes lanes, AttentionLayout layout) {
    this.layout = layout;
    this.lanes = lanes;
    a = lanes.a;
    visible = a.label();
  }

  /// Behind the code: what is added to and taken from scores, for each number of visible positions
  /// from the place on that leaves so many before the middle.
  void constants() {
    a.place(visible);
    for (int part : new int[] {-1, 0, 0, Float.floatToRawIntBits(Float.NEGATIVE_INFINITY)}) {
      for (int t = 0; t < POSITIONS; t++) {
        a.data(part);
      }
    }
  }

  /// Products of the query with all keys of the tile. Those of positions that are not there are of
  /// whatever the tile holds.
  void scores() {
    int count = lanes.count();
    Vec q = lanes.v(count);
    a.emit(Op.MOV, R15, ASKED);
    for (int first = 0; first < POSITIONS; first += count) {
      for (int t = 0; t < count; t++) {
        lanes.zero(lanes.v(t));
      }
      int at = layout.keysAt() + first * layout.rowBytes() - lanes.bytes();
      a.emit(Op.MOV, RCX.r32(), layout.rowBytes());
      a.loop(
          RCX,
          lanes.bytes(),
          () -> {
            askForLines();
            a.emit(Op.VMOVUPS, q, ptr(RBX, RCX, 1, -lanes.bytes()));
            for (int t = 0; t < count; t++) {
              a.emit(Op.VFMADD231PS, lanes.v(t), q, ptr(R13, RCX, 1, at + t * layout.rowBytes()));
            }
          });
      sums();
      a.emit(Op.VMOVUPS, ptr(RBP, layout.weightsAt() + first * Float.BYTES), lanes.v(0));
    }
    a.emit(Op.MOV, ASKED, R15);
  }

  /// Asks for some cache lines of the next tile's keys and values, while this one is computed with:
  /// the first queries ask for all of it, and later ones no more. One row of a few heads would wait
  /// for memory otherwise, since a tile's loads come together.
  private void askForLines() {
    int vectors = POSITIONS / lanes.count() * layout.vectors(); // as often in a query
    int bytes = Math.ceilDiv(POSITIONS * layout.positionBytes(), ASKING * vectors * LINE) * LINE;
    Label asked = a.label();
    a.emit(Op.CMP, R15, POSITIONS * layout.positionBytes());
    a.emit(Op.JAE, asked);
    for (int at = 0; at < bytes; at += LINE) {
      a.emit(Op.PREFETCHT0, ptr(RSI, R15, 1, at));
      a.emit(Op.PREFETCHT0, ptr(RDX, R15, 1, at));
    }
    a.emit(Op.ADD, R15, bytes);
    a.place(asked);
  }

  /// Lane t of the first register becomes the sum of all lanes of register t: in each four of lanes
  /// those that are 2 apart first, then neighbours; then of the fours, neighbours first.
  private void sums() {
    int left = lanes.count();
    halve(left, Op.VUNPCKLPS, -1, Op.VUNPCKHPS, -1);
    halve(left / 2, Op.VSHUFPS, 0x44, Op.VSHUFPS, 0xEE);
    if (lanes.wide()) {
      halve(left / 4, Op.VSHUFI32X4, 0x88, Op.VSHUFI32X4, 0xDD);
      halve(left / 8, Op.VSHUFI32X4, 0x88, Op.VSHUFI32X4, 0xDD);
    } else {
      halve(left / 4, Op.VPERM2F128, 0x20, Op.VPERM2F128, 0x31);
    }
  }

  /// Of each two registers one half of their lanes plus the other.
  private void halve(int registers, Op lower, int lowerOf, Op upper, int upperOf) {
    Vec spare = lanes.v(lanes.count());
    for (int i = 0; i < registers; i += 2) {
      shuffle(lower, spare, i, lowerOf);
      shuffle(upper, lanes.v(i + 1), i, upperOf);
      a.emit(Op.VADDPS, lanes.v(i / 2), spare, lanes.v(i + 1));
    }
  }

  private void shuffle(Op op, Vec to, int first, int control) {
    if (control < 0) {
      a.emit(op, to, lanes.v(first), lanes.v(first + 1));
    } else {
      a.emit(op, to, lanes.v(first), lanes.v(first + 1), control);
    }
  }

  /// The factor of what the state has so far.
  private Vec correction() {
    return lanes.v(5);
  }

  /// Products become weights, of which those that the row does not see are 0; the state's maximum
  /// and total follow. A score that is NaN is no maximum, and all that is summed with its weight
  /// becomes NaN.
  void weights() {
    int vectors = POSITIONS / lanes.count();
    Vec max = lanes.v(4);
    Vec spare = lanes.v(6);
    Exp exp = new Exp(lanes, 7);
    exp.begin();
    a.emit(Op.MOV, RCX.r32(), POSITIONS);
    a.emit(Op.SUB, RCX, R14);
    a.emit(Op.LEA, RAX, ptr(visible));
    a.emit(Op.VMOVUPS, max, ptr(RBP));
    a.emit(Op.VMOVUPS, correction(), max);
    lanes.broadcast(spare, SCALE);
    for (int v = 0; v < vectors; v++) {
      Vec s = lanes.v(v);
      int at = v * lanes.bytes();
      a.emit(Op.VMULPS, s, spare, ptr(RBP, layout.weightsAt() + at));
      lanes.and(s, s, ptr(RAX, RCX, 4, at));
      a.emit(Op.VADDPS, s, s, ptr(RAX, RCX, 4, 2 * Float.BYTES * POSITIONS + at));
      a.emit(Op.VMAXPS, max, s, max);
    }
    lanes.across(Op.VMAXPS, max, spare);
    a.emit(Op.VMOVUPS, ptr(RBP), max);
    a.emit(Op.VSUBPS, correction(), correction(), max);
    exp.emitBelow(correction());
    a.emit(Op.VMOVUPS, ptr(RBP, layout.correctionAt()), correction());
    a.emit(Op.VMULPS, spare, correction(), ptr(RBP, layout.totalAt()));
    for (int v = 0; v < vectors; v++) {
      Vec s = lanes.v(v);
      a.emit(Op.VSUBPS, s, s, max);
      exp.emitBelow(s);
      a.emit(Op.VMOVUPS, ptr(RBP, layout.weightsAt() + v * lanes.bytes()), s);
      a.emit(Op.VADDPS, spare, spare, s);
    }
    a.emit(Op.VMOVUPS, ptr(RBP, layout.totalAt()), spare);
  }

  /// Adds the values that the row sees, weighted: some vectors of them at once, in the order of
  /// positions. Where these are few, even and odd positions have sums of their own, since additions
  /// would wait for each other.
  void values() {
    a.emit(Op.VMOVUPS, correction(), ptr(RBP, layout.correctionAt()));
    for (int first = 0; first < layout.vectors(); first += BLOCK) {
      int count = Math.min(BLOCK, layout.vectors() - first);
      int out = layout.outAt() + first * lanes.bytes();
      for (int i = 0; i < count; i++) {
        a.emit(Op.VMULPS, sum(i), correction(), ptr(RBP, out + i * lanes.bytes()));
      }
      a.emit(Op.LEA, RAX, ptr(R13, layout.valuesAt() + first * lanes.bytes()));
      a.emit(Op.LEA, R15, ptr(RBP, layout.weightsAt()));
      a.emit(Op.MOV, RCX, R14);
      if (2 * count > BLOCK) {
        eachPositions(1, count);
      } else {
        evenAndOdd(count);
      }
      for (int i = 0; i < count; i++) {
        a.emit(Op.VMOVUPS, ptr(RBP, out + i * lanes.bytes()), sum(i));
      }
    }
  }

  private void evenAndOdd(int count) {
    Label even = a.label();
    for (int i = 0; i < count; i++) {
      lanes.zero(sum(count + i));
    }
    a.emit(Op.SHR, RCX, 1);
    a.ifPositive(RCX, () -> eachPositions(2, count));
    a.emit(Op.TEST, R14, 1);
    a.emit(Op.JE, even);
    positions(1, count);
    a.place(even);
    for (int i = 0; i < count; i++) {
      a.emit(Op.VADDPS, sum(i), sum(i), sum(count + i));
    }
  }

  /// As often as rcx says.
  private void eachPositions(int positions, int count) {
    a.loop(
        RCX,
        1,
        () -> {
          positions(positions, count);
          a.emit(Op.ADD, R15, positions * Float.BYTES);
          a.emit(Op.ADD, RAX, positions * layout.rowBytes());
        });
  }

  /// The next positions, each onto its own sums.
  private void positions(int positions, int count) {
    Vec weight = lanes.v(0);
    for (int t = 0; t < positions; t++) {
      lanes.broadcast(weight, ptr(R15, t * Float.BYTES));
      for (int i = 0; i < count; i++) {
        Mem value = ptr(RAX, t * layout.rowBytes() + i * lanes.bytes());
        a.emit(Op.VFMADD231PS, sum(t * count + i), weight, value);
      }
    }
  }

  private Vec sum(int i) {
    return lanes.v(6 + i);
  }
}

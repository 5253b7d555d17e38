package dev.quern.provider.x86.activation;

import static dev.quern.provider.x86.activation.AttentionLayout.POSITIONS;
import static dev.quern.provider.x86.asm.Gp.R10;
import static dev.quern.provider.x86.asm.Gp.R11;
import static dev.quern.provider.x86.asm.Gp.R12;
import static dev.quern.provider.x86.asm.Gp.R13;
import static dev.quern.provider.x86.asm.Gp.R14;
import static dev.quern.provider.x86.asm.Gp.R15;
import static dev.quern.provider.x86.asm.Gp.R8;
import static dev.quern.provider.x86.asm.Gp.R9;
import static dev.quern.provider.x86.asm.Gp.RAX;
import static dev.quern.provider.x86.asm.Gp.RBP;
import static dev.quern.provider.x86.asm.Gp.RBX;
import static dev.quern.provider.x86.asm.Gp.RCX;
import static dev.quern.provider.x86.asm.Gp.RDI;
import static dev.quern.provider.x86.asm.Gp.RDX;
import static dev.quern.provider.x86.asm.Gp.RSI;
import static dev.quern.provider.x86.asm.Mem.ptr;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.quern.provider.x86.asm.Assembler;
import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.asm.Gp;
import dev.quern.provider.x86.asm.Label;
import dev.quern.provider.x86.asm.Mem;
import dev.quern.provider.x86.asm.Op;
import dev.quern.provider.x86.asm.Vec;
import dev.quern.provider.x86.cpu.CpuRow;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// Attention of some queries to a range of positions of one KV head, in one pass with a running
/// maximum (online softmax; Milakov and Gimelshein 2018). In Java it would be
///
///     states = nothing seen;
///     for (tile : range) {                         // POSITIONS each, from the range's first on
///       keys, values = tile of the cache, as F32;  // in the first-level cache
///       for (row : rows) {
///         if (row sees any of the tile) {
///           for (head : heads) {
///             s[t] = scale * Σ q[d] * keys[t][d];   // -infinity where the row does not see t
///             max' = max(max, s);
///             w[t] = exp(s[t] - max');
///             total = total * exp(max - max') + Σ w[t];
///             out[d] = out[d] * exp(max - max') + Σ w[t] * values[t][d];
///           }
///         }
///       }
///     }
///
/// Queries never meet, so a query's bits do not depend on which others there are. Each `Σ` over d is
/// of products lane by lane, from the last vector down, and then of lanes; over t it is in order.
///
/// Registers: r13 the tile, rsi and rdx the cache's next keys and values, r8 positions left, r9 how
/// many the first row sees from the tile's first on, r10 the current row and r14 that within the
/// tile; r11 rows and r12 heads left, rbx the query, rbp its state. Arguments:
///
///     0 keys of the first position   8 values   16 positions   24 positions that the first row sees
///     32 rows   40 heads   48 q   56 states   64 the worker's scratch   72 scale: f32
///     80 its own
final class AttentionCode {
  /// Vectors of `out` that are summed at once.
  private static final int BLOCK = 8;

  private static final int LINE = 64;

  /// Bytes of the next tile's keys that were asked for, and of its values.
  private static final Mem ASKED = ptr(RDI, 80);

  private static final List<Gp> KEPT = List.of(RBX, RBP, R12, R13, R14, R15);

  private final AttentionLayout layout;
  private final Lanes lanes;
  private final Assembler a;
  private final Label visible;

  private AttentionCode(CpuRow row, AttentionLayout layout) {
    this.layout = layout;
    lanes = new Lanes(row);
    a = lanes.a;
    visible = a.label();
  }

  static void arguments(
      MemorySegment block,
      long at,
      long keys,
      long values,
      int positions,
      int visible,
      int rows,
      int heads,
      long q,
      long states,
      long scratch,
      float scale) {
    block.set(JAVA_LONG, at, keys);
    block.set(JAVA_LONG, at + 8, values);
    block.set(JAVA_LONG, at + 16, positions);
    block.set(JAVA_LONG, at + 24, visible);
    block.set(JAVA_LONG, at + 32, rows);
    block.set(JAVA_LONG, at + 40, heads);
    block.set(JAVA_LONG, at + 48, q);
    block.set(JAVA_LONG, at + 56, states);
    block.set(JAVA_LONG, at + 64, scratch);
    block.set(JAVA_FLOAT, at + 72, scale);
  }

  static Code code(CpuRow row, AttentionLayout layout) {
    return new AttentionCode(row, layout).emit();
  }

  private Code emit() {
    KEPT.forEach(r -> a.emit(Op.PUSH, r));
    KvRows rows = new KvRows(lanes, layout);
    rows.begin();
    a.emit(Op.MOV, R13, ptr(RDI, 64));
    clearStates();
    a.emit(Op.MOV, RSI, ptr(RDI));
    a.emit(Op.MOV, RDX, ptr(RDI, 8));
    a.emit(Op.MOV, R8, ptr(RDI, 16));
    a.emit(Op.MOV, R9, ptr(RDI, 24));
    a.loop(
        R8,
        POSITIONS,
        () -> {
          tile(rows, RSI, layout.keysAt());
          tile(rows, RDX, layout.valuesAt());
          a.emit(Op.MOV, ASKED.sized(Long.BYTES), 0);
          eachRow();
          a.emit(Op.SUB, R9, POSITIONS);
        });
    KEPT.reversed().forEach(r -> a.emit(Op.POP, r));
    return lanes.end(() -> {
      rows.constants();
      a.place(visible);
      for (int part : new int[] {-1, 0, 0, Float.floatToRawIntBits(Float.NEGATIVE_INFINITY)}) {
        for (int t = 0; t < POSITIONS; t++) {
          a.data(part);
        }
      }
    });
  }

  private void clearStates() {
    Vec lowest = lanes.v(0);
    Vec zero = lanes.v(1);
    lanes.broadcast(lowest, -Float.MAX_VALUE);
    lanes.zero(zero);
    a.emit(Op.MOV, RBP, ptr(RDI, 56));
    a.emit(Op.MOV, RCX, ptr(RDI, 32));
    a.emit(Op.IMUL, RCX, ptr(RDI, 40));
    a.loop(
        RCX,
        1,
        () -> {
          a.emit(Op.VMOVUPS, ptr(RBP), lowest);
          for (int v = -1; v < layout.vectors(); v++) {
            a.emit(Op.VMOVUPS, ptr(RBP, layout.outAt() + v * lanes.bytes()), zero);
          }
          a.emit(Op.ADD, RBP, layout.stateBytes());
        });
  }

  /// The next positions of the cache, of as many as there are, to the tile.
  private void tile(KvRows rows, Gp from, int at) {
    Label whole = a.label();
    a.emit(Op.MOV, RCX.r32(), POSITIONS);
    a.emit(Op.CMP, R8, RCX);
    a.emit(Op.JGE, whole);
    a.emit(Op.MOV, RCX, R8);
    a.place(whole);
    a.emit(Op.LEA, RAX, ptr(R13, at));
    a.loop(
        RCX,
        1,
        () -> {
          rows.load(from, RAX);
          a.emit(Op.ADD, from, layout.positionBytes());
          a.emit(Op.ADD, RAX, layout.rowBytes());
        });
  }

  private void eachRow() {
    a.emit(Op.MOV, RBX, ptr(RDI, 48));
    a.emit(Op.MOV, RBP, ptr(RDI, 56));
    a.emit(Op.MOV, R11, ptr(RDI, 32));
    a.emit(Op.MOV, R10, R9);
    a.loop(
        R11,
        1,
        () -> {
          Label blind = a.label();
          Label within = a.label();
          a.emit(Op.MOV, R12, ptr(RDI, 40));
          a.emit(Op.TEST, R10, R10);
          a.emit(Op.JLE, blind);
          a.emit(Op.MOV, R14.r32(), POSITIONS);
          a.emit(Op.CMP, R10, R14);
          a.emit(Op.JGE, within);
          a.emit(Op.MOV, R14, R10);
          a.place(within);
          a.loop(
              R12,
              1,
              () -> {
                scores();
                weights();
                values();
                a.emit(Op.ADD, RBX, layout.rowBytes());
                a.emit(Op.ADD, RBP, layout.stateBytes());
              });
          a.place(blind); // with no heads left, or with all
          a.emit(Op.IMUL, RAX, R12, layout.rowBytes());
          a.emit(Op.ADD, RBX, RAX);
          a.emit(Op.IMUL, RAX, R12, layout.stateBytes());
          a.emit(Op.ADD, RBP, RAX);
          a.emit(Op.ADD, R10, 1);
        });
  }

  /// Products of the query with all keys of the tile. Those of positions that are not there are of
  /// whatever the tile holds.
  private void scores() {
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
      a.emit(Op.VMOVUPS, ptr(R13, layout.weightsAt() + first * Float.BYTES), lanes.v(0));
    }
    a.emit(Op.MOV, ASKED, R15);
  }

  /// Asks for some cache lines of the next tile's keys and values, while this one is computed with:
  /// four queries ask for all of it, and later ones no more. One row of four heads waits for memory
  /// otherwise, since a tile's loads come together.
  private void askForLines() {
    int queries = 4;
    int bytes =
        Math.max(LINE, lanes.count() * lanes.count() * layout.kv().elementBytes() / queries);
    Label asked = a.label();
    a.emit(Op.CMP, R15, POSITIONS * layout.positionBytes());
    a.emit(Op.JGE, asked);
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
  private void weights() {
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
    lanes.broadcast(spare, ptr(RDI, 72));
    for (int v = 0; v < vectors; v++) {
      Vec s = lanes.v(v);
      int at = v * lanes.bytes();
      a.emit(Op.VMULPS, s, spare, ptr(R13, layout.weightsAt() + at));
      lanes.and(s, s, ptr(RAX, RCX, 4, at));
      a.emit(Op.VADDPS, s, s, ptr(RAX, RCX, 4, 2 * Float.BYTES * POSITIONS + at));
      a.emit(Op.VMAXPS, max, s, max);
    }
    lanes.across(Op.VMAXPS, max, spare);
    a.emit(Op.VMOVUPS, ptr(RBP), max);
    a.emit(Op.VSUBPS, correction(), correction(), max);
    exp.emitBelow(correction());
    a.emit(Op.VMULPS, spare, correction(), ptr(RBP, layout.totalAt()));
    for (int v = 0; v < vectors; v++) {
      Vec s = lanes.v(v);
      a.emit(Op.VSUBPS, s, s, max);
      exp.emitBelow(s);
      a.emit(Op.VMOVUPS, ptr(R13, layout.weightsAt() + v * lanes.bytes()), s);
      a.emit(Op.VADDPS, spare, spare, s);
    }
    a.emit(Op.VMOVUPS, ptr(RBP, layout.totalAt()), spare);
  }

  /// Adds the values that the row sees, weighted: some vectors of them at once, in the order of
  /// positions. Where these are few, even and odd positions have sums of their own, since additions
  /// would wait for each other.
  private void values() {
    for (int first = 0; first < layout.vectors(); first += BLOCK) {
      int count = Math.min(BLOCK, layout.vectors() - first);
      int out = layout.outAt() + first * lanes.bytes();
      for (int i = 0; i < count; i++) {
        a.emit(Op.VMULPS, sum(i), correction(), ptr(RBP, out + i * lanes.bytes()));
      }
      a.emit(Op.LEA, RAX, ptr(R13, layout.valuesAt() + first * lanes.bytes()));
      a.emit(Op.LEA, R15, ptr(R13, layout.weightsAt()));
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

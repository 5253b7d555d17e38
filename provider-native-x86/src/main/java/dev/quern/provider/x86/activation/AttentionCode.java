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

import dev.quern.provider.x86.asm.Assembler;
import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.asm.Gp;
import dev.quern.provider.x86.asm.Label;
import dev.quern.provider.x86.asm.Mem;
import dev.quern.provider.x86.asm.Op;
import dev.quern.provider.x86.asm.Vec;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.memory.Arguments;
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
/// of products lane by lane, from the last vector down, and then of lanes; over t it is in order, or
/// in two orders, of even and odd t.
///
/// Registers: r13 the tile, rsi and rdx the cache's next keys and values, r8 positions left, r9 how
/// many the first row sees from the tile's first on, r10 the current row and r14 that within the
/// tile; r11 rows and r12 heads left, rbx the query, rbp its state. Arguments:
///
///     0 keys of the first position   8 values   16 positions   24 positions that the first row sees
///     32 rows   40 heads   48 q   56 states   64 the worker's scratch   72 scale: f32
///     80, 88 its own
final class AttentionCode {
  /// Where the states of the current row begin.
  private static final Mem STATES_OF_ROW = ptr(RDI, 88);

  private static final List<Gp> KEPT = List.of(RBX, RBP, R12, R13, R14, R15);

  private final AttentionLayout layout;
  private final Lanes lanes;
  private final Assembler a;
  private final AttentionQuery query;

  private AttentionCode(CpuRow row, AttentionLayout layout) {
    this.layout = layout;
    lanes = new Lanes(row);
    a = lanes.a;
    query = new AttentionQuery(lanes, layout);
  }

  /// Writes the arguments that say what of the cache is seen.
  ///
  /// @param keys address of the range's first position
  /// @param positions of the range
  /// @param visible positions that the first row sees
  static void range(
      MemorySegment block, long at, long keys, long values, int positions, int visible) {
    Arguments.set(block, at, keys, values, positions, visible);
  }

  /// Writes those that say who sees it.
  ///
  /// @param q address of the first query
  static void queries(MemorySegment block, long at, int rows, int heads, long q) {
    Arguments.set(block, at + 32, rows, heads, q);
  }

  /// Writes those of the running softmax.
  ///
  /// @param states address of the first query's
  /// @param scratch address of the worker's
  static void softmax(MemorySegment block, long at, long states, long scratch, float scale) {
    Arguments.set(block, at + 56, states, scratch, Arguments.pair(scale, 0));
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
          a.emit(Op.MOV, AttentionQuery.ASKED.sized(Long.BYTES), 0);
          eachRow();
          a.emit(Op.SUB, R9, POSITIONS);
        });
    KEPT.reversed().forEach(r -> a.emit(Op.POP, r));
    return lanes.end(() -> {
      rows.constants();
      query.constants();
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
          a.emit(Op.VMOVUPS, ptr(RBP, layout.totalAt()), zero);
          for (int v = 0; v < layout.vectors(); v++) {
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

  /// Step by step for all heads of a row: what becomes of a score depends on a long chain of
  /// instructions, and those of several heads overlap.
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
          a.emit(Op.MOV, STATES_OF_ROW, RBP);
          eachHead(() -> {
            query.scores();
            a.emit(Op.ADD, RBX, layout.rowBytes());
          });
          a.emit(Op.MOV, RBP, STATES_OF_ROW);
          a.emit(Op.MOV, R12, ptr(RDI, 40));
          eachHead(query::weights);
          a.emit(Op.MOV, RBP, STATES_OF_ROW);
          a.emit(Op.MOV, R12, ptr(RDI, 40));
          eachHead(query::values);
          a.place(blind); // with no heads left, or with all
          a.emit(Op.IMUL, RAX, R12, layout.rowBytes());
          a.emit(Op.ADD, RBX, RAX);
          a.emit(Op.IMUL, RAX, R12, layout.stateBytes());
          a.emit(Op.ADD, RBP, RAX);
          a.emit(Op.ADD, R10, 1);
        });
  }

  /// With rbp at its state.
  private void eachHead(Runnable body) {
    a.loop(
        R12,
        1,
        () -> {
          body.run();
          a.emit(Op.ADD, RBP, layout.stateBytes());
        });
  }
}

package dev.quern.provider.x86.linear.panel;

import static dev.quern.provider.x86.asm.Gp.R10;
import static dev.quern.provider.x86.asm.Gp.R8;
import static dev.quern.provider.x86.asm.Gp.R9;
import static dev.quern.provider.x86.asm.Gp.RAX;
import static dev.quern.provider.x86.asm.Gp.RCX;
import static dev.quern.provider.x86.asm.Gp.RDI;
import static dev.quern.provider.x86.asm.Gp.RDX;
import static dev.quern.provider.x86.asm.Gp.RSI;
import static dev.quern.provider.x86.asm.Mem.ptr;
import static dev.quern.provider.x86.asm.Vec.xmm;
import static dev.quern.provider.x86.asm.Vec.ymm;

import dev.quern.provider.x86.asm.Assembler;
import dev.quern.provider.x86.asm.Gp;
import dev.quern.provider.x86.asm.Label;
import dev.quern.provider.x86.asm.Mem;
import dev.quern.provider.x86.asm.Op;
import dev.quern.provider.x86.asm.Vec;
import dev.quern.provider.x86.memory.Arguments;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/// What [PanelPacking] and [FloatPacking] have in common: a step packs a block of each of eight rows
/// into eight outputs of a panel, its lanes; for every row of the table of CPUs, since all have AVX2.
/// First the words that are needed of the eight blocks are transposed to memory, 16 bytes of a row
/// at a time:
///
///     row 0: w0 w1 w2 w3   row 4: ...          w0 of rows 0 .. 7
///     row 1: w0 w1 w2 w3   row 5: ...    ->    w1 of rows 0 .. 7
///     row 2: ...           row 6: ...          w2 ...
///     row 3: ...           row 7: ...          w3 ...
///
/// Then a [BlockWord] is computed in a vector, whose lanes are the rows. The block of arguments:
///
///     0 row 0   8 bytes from a row to the next   16 scales of row 0
///     24 bytes from these to the next row's   32 to   40 lane of row 0   48 steps
///     64 transposed words: 32 bytes each
///
/// Nothing is read beyond the blocks.
///
///     rsi row 0   r8 row 4   rdx from a row to the next   rax three times that
///     r9 to   r10 lane   rcx steps that are left
final class PackingSteps {
  private static final int FROM = 0;
  private static final int ROW = 8;
  private static final int SCALES = 16;
  private static final int SCALE_ROW = 24;
  private static final int TO = 32;
  private static final int LANE = 40;
  private static final int STEPS = 48;
  private static final int WORDS = 64;

  private static final int QUAD_BYTES = 16;
  private static final int MOST_QUADS = 16;
  private static final int UNORDERED = 3; // VCMPPS's predicate UNORD_Q

  /// Rows that are packed at a time.
  static final int ROWS = 8;

  /// Bytes of the block, with the words.
  static final int ARGUMENT_BYTES = WORDS + MOST_QUADS * QUAD_BYTES * ROWS;

  static final Mem SCALES_ADDRESS = ptr(RDI, SCALES).sized(Long.BYTES);
  static final Mem SCALE_ROW_BYTES = ptr(RDI, SCALE_ROW);

  private final Assembler a;
  private final int blockBytes;

  /// Where transposed words of a block are, by their place in it.
  private final Map<Integer, Mem> words = new HashMap<>();

  /// Vectors of a number in all lanes.
  private final Map<Integer, Label> constants = new TreeMap<>();

  /// @param blockBytes of a row, that a step packs
  PackingSteps(Assembler a, int blockBytes) {
    this.a = a;
    this.blockBytes = blockBytes;
  }

  /// Writes what is packed.
  ///
  /// @param from address of the first row
  /// @param rowBytes from a row to the next
  /// @param scales address of the first row's part of the scale plane, if there is one
  /// @param scaleRowBytes from that to the next row's
  static void from(MemorySegment block, long from, long rowBytes, long scales, long scaleRowBytes) {
    Arguments.set(block, FROM, from, rowBytes, scales, scaleRowBytes);
  }

  /// Writes where it is packed to.
  ///
  /// @param to address of the panel
  /// @param lane of the first row
  /// @param steps blocks of a row
  static void to(MemorySegment block, long to, int lane, int steps) {
    Arguments.set(block, TO, to, lane, steps);
  }

  void begin() {
    a.emit(Op.MOV, RSI, ptr(RDI, FROM));
    a.emit(Op.MOV, RDX, ptr(RDI, ROW));
    a.emit(Op.MOV, R9, ptr(RDI, TO));
    a.emit(Op.MOV, R10, ptr(RDI, LANE));
    a.emit(Op.MOV, RCX, ptr(RDI, STEPS));
    a.emit(Op.LEA, R8, ptr(RSI, RDX, 4));
    a.emit(Op.LEA, RAX, ptr(RDX, RDX, 2));
  }

  /// All steps.
  ///
  /// @param all what the body will ask for
  /// @param panelBytes that a step writes
  void loop(List<BlockWord> all, int panelBytes, Runnable body) {
    a.loop(
        RCX,
        1,
        () -> {
          transpose(all);
          body.run();
          a.emit(Op.ADD, RSI, blockBytes);
          a.emit(Op.ADD, R8, blockBytes);
          a.emit(Op.ADD, R9, panelBytes);
        });
  }

  private void transpose(List<BlockWord> all) {
    Set<Integer> places = new TreeSet<>();
    all.forEach(word -> addPlaces(word, places));
    int quads = 0;
    for (int place : places) {
      if (!words.containsKey(place)) {
        int at = place;
        while (at + QUAD_BYTES > blockBytes) {
          at -= Integer.BYTES;
        }
        transpose(at, places, WORDS + quads * QUAD_BYTES * ROWS);
        quads++;
      }
    }
    if (quads > MOST_QUADS) {
      throw new IllegalArgumentException(
          quads + " times 16 bytes of a block, expected " + MOST_QUADS + " at most");
    }
  }

  private static void addPlaces(BlockWord word, Set<Integer> places) {
    switch (word) {
      case BlockWord.Word w -> places.add(w.at());
      case BlockWord.Half _ -> {}
      case BlockWord.And w -> addPlaces(w.of(), places);
      case BlockWord.Xor w -> addPlaces(w.of(), places);
      case BlockWord.Or w -> {
        addPlaces(w.first(), places);
        addPlaces(w.second(), places);
      }
      case BlockWord.Shift w -> addPlaces(w.of(), places);
      case BlockWord.Times w -> addPlaces(w.of(), places);
      case BlockWord.Spread w -> addPlaces(w.of(), places);
      case BlockWord.Widened w -> addPlaces(w.half(), places);
      case BlockWord.Rounded w -> addPlaces(w.number(), places);
    }
  }

  /// Those of four words from a byte of the block on that are needed, and not there yet: to a place
  /// in the block of arguments.
  private void transpose(int at, Set<Integer> places, int to) {
    for (int i = 0; i < 4; i++) {
      a.emit(Op.VMOVDQU, xmm(i), row(i, at));
      a.emit(Op.VINSERTI128, ymm(i), ymm(i), row(i + 4, at), 1);
    }
    for (int half = 0; half < 2; half++) {
      Op pairs = half == 0 ? Op.VPUNPCKLDQ : Op.VPUNPCKHDQ;
      boolean first = true;
      for (int i = 0; i < 2; i++) {
        int place = at + (2 * half + i) * Integer.BYTES;
        if (places.contains(place) && !words.containsKey(place)) {
          if (first) {
            a.emit(pairs, ymm(4), ymm(0), ymm(1));
            a.emit(pairs, ymm(5), ymm(2), ymm(3));
            first = false;
          }
          Mem transposed = ptr(RDI, to + (place - at) * ROWS);
          a.emit(i == 0 ? Op.VPUNPCKLQDQ : Op.VPUNPCKHQDQ, ymm(6), ymm(4), ymm(5));
          a.emit(Op.VMOVDQU, transposed, ymm(6));
          words.put(place, transposed);
        }
      }
    }
  }

  /// A byte of row i's block.
  private static Mem row(int i, int at) {
    Gp base = i < 4 ? RSI : R8;
    return switch (i % 4) {
      case 0 -> ptr(base, at);
      case 1 -> ptr(base, RDX, 1, at);
      case 2 -> ptr(base, RDX, 2, at);
      default -> ptr(base, RAX, 1, at);
    };
  }

  /// Computes a word of each row.
  ///
  /// @param register for it; the three behind it are spare
  Vec value(BlockWord word, int register) {
    Vec to = ymm(register);
    Vec spare = ymm(register + 1);
    switch (word) {
      case BlockWord.Word w -> a.emit(Op.VMOVDQU, to, words.get(w.at()));
      case BlockWord.Half w -> {
        for (int i = 0; i < ROWS; i++) {
          a.emit(Op.VPINSRW, to.as(128), to.as(128), row(i, w.at()), i);
        }
        a.emit(Op.VPMOVZXWD, to, to.as(128));
      }
      case BlockWord.And w -> a.emit(Op.VPAND, value(w.of(), register), to, all(w.mask()));
      case BlockWord.Xor w -> a.emit(Op.VPXOR, value(w.of(), register), to, all(w.mask()));
      case BlockWord.Or w -> {
        value(w.first(), register);
        value(w.second(), register + 1);
        a.emit(Op.VPOR, to, to, spare);
      }
      case BlockWord.Shift w -> {
        value(w.of(), register);
        a.emit(w.left() > 0 ? Op.VPSLLD : Op.VPSRLD, to, to, Math.abs(w.left()));
      }
      case BlockWord.Times w -> a.emit(Op.VPMULLD, value(w.of(), register), to, all(w.factor()));
      case BlockWord.Spread w -> {
        value(w.of(), register);
        a.emit(Op.VPSLLD, spare, to, w.left());
        a.emit(Op.VPOR, to, to, spare);
      }
      case BlockWord.Widened w -> {
        value(w.half(), register);
        halves(register);
        a.emit(Op.VCVTPH2PS, to, to.as(128));
      }
      case BlockWord.Rounded w -> {
        value(w.number(), register);
        round(to, spare, ymm(register + 2), ymm(register + 3));
      }
    }
    return to;
  }

  /// By an integer sum: what lies above a tie carries into the upper half.
  private void round(Vec to, Vec upper, Vec sum, Vec isNaN) {
    a.emit(Op.VCMPPS, isNaN, to, to, UNORDERED);
    a.emit(Op.VPSRLD, upper, to, 16);
    a.emit(Op.VPAND, sum, upper, all(1));
    a.emit(Op.VPADDD, sum, sum, all(0x7FFF));
    a.emit(Op.VPADDD, to, to, sum);
    a.emit(Op.VPSRLD, to, to, 16);
    a.emit(Op.VPOR, upper, upper, all(0x40)); // the quiet bit: the payload may be cut off
    a.emit(Op.VBLENDVPS, to, to, upper, isNaN);
  }

  /// Eight words, which are below 2^16, to the lower half of their register; the next one is spare.
  private void halves(int register) {
    Vec half = xmm(register);
    a.emit(Op.VEXTRACTI128, xmm(register + 1), ymm(register), 1);
    a.emit(Op.VPACKUSDW, half, half, xmm(register + 1));
  }

  /// Stores a register's lanes to those of the panel.
  ///
  /// @param at in the panel, of lane 0
  /// @param bytes of a lane: 1, 2, 4, which hold it; the next register is spare if fewer than 4
  void store(int register, int at, int bytes) {
    if (bytes < Integer.BYTES) {
      halves(register);
    }
    switch (bytes) {
      case 1 -> {
        a.emit(Op.VPACKUSWB, xmm(register), xmm(register), xmm(register));
        a.emit(Op.VMOVQ, lane(at, bytes), xmm(register));
      }
      case 2 -> a.emit(Op.VMOVDQU, lane(at, bytes), xmm(register));
      default -> a.emit(Op.VMOVDQU, lane(at, bytes), ymm(register));
    }
  }

  /// Where the panel has the first of the eight lanes.
  Mem lane(int at, int bytes) {
    return ptr(R9, R10, bytes, at);
  }

  /// A number in all lanes, in memory.
  Mem all(int value) {
    return ptr(constants.computeIfAbsent(value, _ -> a.label()));
  }

  /// Their constants, behind the code.
  void constants() {
    a.align(Integer.BYTES * ROWS);
    constants.forEach((value, label) -> {
      int[] lanes = new int[ROWS];
      Arrays.fill(lanes, value);
      a.place(label);
      a.data(lanes);
    });
  }
}

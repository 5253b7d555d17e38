package dev.quern.provider.x86.linear.bf16;

import static dev.quern.provider.x86.asm.Gp.R10;
import static dev.quern.provider.x86.asm.Gp.R11;
import static dev.quern.provider.x86.asm.Gp.R8;
import static dev.quern.provider.x86.asm.Gp.R9;
import static dev.quern.provider.x86.asm.Gp.RAX;
import static dev.quern.provider.x86.asm.Gp.RCX;
import static dev.quern.provider.x86.asm.Gp.RDI;
import static dev.quern.provider.x86.asm.Gp.RDX;
import static dev.quern.provider.x86.asm.Gp.RSI;
import static dev.quern.provider.x86.asm.Mask.k;
import static dev.quern.provider.x86.asm.Mem.ptr;
import static dev.quern.provider.x86.asm.Tile.tmm;
import static dev.quern.provider.x86.asm.Vec.zmm;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.quern.provider.x86.asm.Assembler;
import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.asm.Label;
import dev.quern.provider.x86.asm.Mem;
import dev.quern.provider.x86.asm.Op;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.linear.panel.Bf16Panels;
import dev.quern.provider.x86.linear.panel.ProductArguments;
import java.lang.foreign.MemorySegment;

/// Products by `tdpbf16ps` (`bf16`): a [Bf16Tile] of up to 32 rows by [Bf16Panels], 32 x 32 sums in
/// four tiles that are stored once, behind the last block:
///
///     tmm0, 1   sums of rows 0 to 15, outputs 0 to 15 and 16 to 31     tmm2, 3   of rows 16 to 31
///     tmm4, 5   x: rows 0 to 15, 16 to 31, 32 inputs    tmm6, 7   weights: 16 pairs, 16 outputs each
///
///     for (panel : panels) {
///       tmm0 .. 3 = 0;
///       for (block : panel) {
///         tmm0 += tmm4 * tmm6; tmm1 += tmm4 * tmm7; tmm2 += tmm5 * tmm6; tmm3 += tmm5 * tmm7;
///       }
///       spill = tmm0 .. 3;
///       y[r][outputs] = spill[r] + foot[r];     // or +=
///     }
///
/// What is in a row of x meets nothing of another, so that a row's bits do not depend on how many
/// there are. They differ from those of `vdpbf16ps`: even and odd products of a block are summed
/// apart, then both, and that onto the tile (SDM volume 2, TDPBF16PS).
///
/// Configured first and released last (SDM volume 1, chapter 18): tiles never outlive a call. Its
/// arguments are [ProductArguments]', then
///
///     80 the configuration of tiles: 64 bytes   144 spill: 4,096 bytes   152 rows
///
/// Registers: x in rsi, weights in rdx, blocks left in rcx, then spill and rows left; panels left in
/// r8, y in r9; r10 and r11 are strides of weights and of x, then y's and rows left; rax bytes of a
/// block of x, then y's row.
public final class AmxBf16Product {
  /// Rows of x of a call, at most.
  public static final int MAX_ROWS = 32;

  /// Bytes of spilled sums.
  static final int SPILL_BYTES = MAX_ROWS * Float.BYTES * Bf16Panels.OUTPUTS;

  /// Rows of a tile register.
  static final int TILE_ROWS = 16;

  private static final int ROW_BYTES = 64; // of a tile register
  private static final int CONFIG = ProductArguments.BYTES;
  private static final int SPILL = CONFIG + ROW_BYTES;
  private static final int ROWS = SPILL + Long.BYTES;

  /// Where the configuration has bytes of rows, and rows (SDM volume 2, LDTILECFG).
  private static final int CONFIG_BYTES = 16;

  private static final int CONFIG_ROWS = 48;

  private final Assembler a = new Assembler(CpuRow.AMX.needs());
  private final boolean both;

  private AmxBf16Product(boolean both) {
    this.both = both;
  }

  /// @param both whether there are rows for both halves
  static Code code(boolean both) {
    return new AmxBf16Product(both).emit();
  }

  /// Writes the arguments that only this has.
  ///
  /// @param rows of the tile of x
  /// @param spill address of the memory for sums
  static void set(MemorySegment block, long at, int rows, long spill) {
    for (int i = 0; i < ROW_BYTES; i += Long.BYTES) {
      block.set(JAVA_LONG, at + CONFIG + i, 0);
    }
    int first = Math.min(rows, TILE_ROWS);
    block.set(JAVA_BYTE, at + CONFIG, (byte) 1);
    for (int t = 0; t < 8; t++) {
      int tileRows =
          switch (t) {
            case 0, 1, 4 -> first;
            case 2, 3, 5 -> rows - first;
            default -> TILE_ROWS;
          };
      if (tileRows > 0) {
        block.set(JAVA_SHORT, at + CONFIG + CONFIG_BYTES + 2L * t, (short) ROW_BYTES);
        block.set(JAVA_BYTE, at + CONFIG + CONFIG_ROWS + t, (byte) tileRows);
      }
    }
    block.set(JAVA_LONG, at + SPILL, spill);
    block.set(JAVA_LONG, at + ROWS, rows);
  }

  private Code emit() {
    a.emit(Op.LDTILECFG, ptr(RDI, CONFIG));
    a.emit(Op.MOV, RDX, ProductArguments.panels(RDI));
    a.emit(Op.MOV, R9, ProductArguments.y(RDI));
    a.emit(Op.MOV, R8, ProductArguments.count(RDI));
    a.loop(
        R8,
        1,
        () -> {
          sums();
          spill();
          store();
          a.emit(Op.ADD, R9, Float.BYTES * Bf16Panels.OUTPUTS);
        });
    a.emit(Op.TILERELEASE);
    a.end();
    return a.code();
  }

  private void sums() {
    a.emit(Op.MOV, RSI, ProductArguments.tile(RDI));
    a.emit(Op.MOV, RAX, ptr(RDI, ROWS));
    a.emit(Op.SHL, RAX, Integer.numberOfTrailingZeros(Bf16Tile.BLOCK_BYTES));
    a.emit(Op.MOV, R10.r32(), Bf16Panels.PAIR_BYTES);
    a.emit(Op.MOV, R11.r32(), Bf16Tile.BLOCK_BYTES);
    a.emit(Op.MOV, RCX, ProductArguments.blocks(RDI));
    for (int t = 0; t < (both ? 4 : 2); t++) {
      a.emit(Op.TILEZERO, tmm(t));
    }
    a.align(32);
    a.loop(
        RCX,
        1,
        () -> {
          a.emit(Op.TILELOADD, tmm(4), ptr(RSI, R11, 1));
          a.emit(Op.TILELOADD, tmm(6), ptr(RDX, R10, 1));
          a.emit(Op.TILELOADD, tmm(7), ptr(RDX, R10, 1, ROW_BYTES));
          a.emit(Op.TDPBF16PS, tmm(0), tmm(4), tmm(6));
          a.emit(Op.TDPBF16PS, tmm(1), tmm(4), tmm(7));
          if (both) {
            a.emit(Op.TILELOADD, tmm(5), ptr(RSI, R11, 1, TILE_ROWS * Bf16Tile.BLOCK_BYTES));
            a.emit(Op.TDPBF16PS, tmm(2), tmm(5), tmm(6));
            a.emit(Op.TDPBF16PS, tmm(3), tmm(5), tmm(7));
          }
          a.emit(Op.ADD, RSI, RAX);
          a.emit(Op.ADD, RDX, Bf16Panels.BLOCK_BYTES);
        });
  }

  /// Rows of 128 bytes, which is what r10 holds.
  private void spill() {
    a.emit(Op.MOV, RCX, ptr(RDI, SPILL));
    for (int t = 0; t < (both ? 4 : 2); t++) {
      long at = (long) t / 2 * TILE_ROWS * Bf16Panels.PAIR_BYTES + t % 2 * ROW_BYTES;
      a.emit(Op.TILESTORED, ptr(RCX, R10, 1, at), tmm(t));
    }
  }

  /// k1 and k2 are the outputs that y has, k3 and k4 those of them that are added to: all or none.
  private void store() {
    Label whole = a.label();
    a.emit(Op.MOV, RAX.r32(), -1);
    a.emit(Op.CMP, R8, 1);
    a.emit(Op.JNE, whole);
    a.emit(Op.MOV, RAX.r32(), ProductArguments.last(RDI));
    a.place(whole);
    a.emit(Op.MOV, R10.r32(), ProductArguments.add(RDI));
    a.emit(Op.NEG, R10.r32());
    a.emit(Op.AND, R10.r32(), RAX.r32());
    for (int slice = 0; slice < 2; slice++) {
      a.emit(Op.KMOVW, k(1 + slice), RAX.r32());
      a.emit(Op.KMOVW, k(3 + slice), R10.r32());
      if (slice == 0) {
        a.emit(Op.SHR, RAX.r32(), 16);
        a.emit(Op.SHR, R10.r32(), 16);
      }
    }
    a.emit(Op.MOV, RAX, R9);
    a.emit(Op.MOV, R10, ProductArguments.yStride(RDI));
    a.emit(Op.MOV, R11, ptr(RDI, ROWS));
    a.loop(
        R11,
        1,
        () -> {
          a.emit(Op.VBROADCASTSS, zmm(2), ptr(RSI));
          for (int slice = 0; slice < 2; slice++) {
            Mem y = ptr(RAX, ROW_BYTES * slice);
            a.emit(Op.VADDPS, zmm(slice), zmm(2), ptr(RCX, ROW_BYTES * slice));
            a.emit(Op.VMOVUPS, zmm(3).zeroing(k(3 + slice)), y);
            a.emit(Op.VADDPS, zmm(slice), zmm(slice), zmm(3));
            a.emit(Op.VMOVUPS, y.with(k(1 + slice)), zmm(slice));
          }
          a.emit(Op.ADD, RCX, Bf16Panels.PAIR_BYTES);
          a.emit(Op.ADD, RAX, R10);
          a.emit(Op.ADD, RSI, Float.BYTES);
        });
  }
}

package dev.quern.provider.x86.linear.int8;

import static dev.quern.provider.x86.asm.Gp.R11;
import static dev.quern.provider.x86.asm.Gp.RAX;
import static dev.quern.provider.x86.asm.Gp.RDI;
import static dev.quern.provider.x86.asm.Mem.ptr;
import static dev.quern.provider.x86.asm.Tile.tmm;
import static dev.quern.provider.x86.linear.int8.Avx512Panel.SCALES;
import static dev.quern.provider.x86.linear.int8.Avx512Panel.WORDS;
import static dev.quern.provider.x86.linear.panel.PanelLoop.PANEL;
import static dev.quern.provider.x86.linear.panel.PanelLoop.TILE;

import dev.quern.provider.x86.asm.Assembler;
import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.asm.Gp;
import dev.quern.provider.x86.asm.Label;
import dev.quern.provider.x86.asm.Op;
import dev.quern.provider.x86.asm.Tile;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.linear.panel.PanelLayout;
import dev.quern.provider.x86.linear.panel.PanelLoop.Prefetch;
import dev.quern.provider.x86.linear.panel.ProductArguments;

/// Products by AMX's `tdpbssd`, for many rows: unpacked panels of 16 outputs
/// ([PanelLayout#unpacked]), up to sixteen rows. A group of a block that has a scale is one product
/// of tiles,
///
/// ```
/// C i32[rows][16 outputs] = A s8[rows][32 inputs] · B s8[8 words][16 outputs][4 inputs]
/// ```
///
/// where A is the block's values in [RoundedTile], and B its words in the panel, both dense. C is
/// stored, and comes back as vectors, which the scales are applied to as [Avx512Product] does: the
/// integer sums are exact in both, so that a row has the same bits in both.
///
/// Three blocks are on their way at a time, so that none waits for another: while a block is scaled,
/// C of the next one is stored, and the tiles of the one after that are multiplied. (A load of what
/// was only just stored would wait until the store is done.) So behind the last block two more are
/// read, of whatever is there: memory must be, of x's tile and of the panel.
///
/// Cycles of a block of sixteen rows, on Sapphire Rapids: `tdpbssd` 16 whatever its depth (Intel 64
/// and IA-32 Architectures Optimization Reference Manual, chapter on AMX: throughput 16, latency
/// 52); vectors 3 instructions a row on 2 ports, 24; loads 16 and 8 lines for A and B and 2 a row,
/// on 2 ports, 28; stores 16. So 28, of 8,192 multiplications.
///
///     zmm0 .. 15      sums, F32, of each row ([Avx512Sums])
///     zmm16, 17, 18   scales, minimums; a row of C; spare
///     tmm0, 1         C of each group     tmm2, 3   A     tmm4, 5   B
///     rax             bytes of a row of A, half of B's and C's     r11   where C is stored, of
///                     every other block 2 KiB behind or before
final class AmxProduct extends Avx512Sums {
  /// Rows of a tile register (SDM volume 1, 18.2).
  static final int MAX_ROWS = 16;

  /// Rows from which on tiles take less time than dot products. Memory gives a block of Q4_0, 288
  /// bytes, in some 50 cycles. Dot products of n rows take 6 n + 7 (`vpdpbusd`, and 4 more
  /// instructions a row, on 2 ports) on top of the unpacking, which is done while memory is waited
  /// for: up to eight rows they take what memory takes, 55, and nothing could be faster. Nine are a
  /// tile of eight and one of one, 68. Tiles have to wait for all of a group of panels to be
  /// unpacked, 50, and then take 16 to 28.
  static final int MIN_ROWS = Avx512Product.MAX_ROWS + 1;

  /// Blocks that are read behind the last one.
  static final int BLOCKS_BEHIND = 2;

  private static final int C_BYTES = 1024;

  /// Bytes of the C of a block's groups.
  private static final int BLOCK_C_BYTES = 2 * C_BYTES;

  /// Bytes for the C of two blocks, and their alignment: one bit of the address says which.
  static final int INTEGER_BYTES = 2 * BLOCK_C_BYTES;

  private static final int ROW_BYTES = 64;
  private static final Gp STRIDE = RAX;
  private static final Gp INTEGERS = R11;

  private AmxProduct(Assembler a, PanelLayout layout, RoundedTile tile) {
    super(a, layout, tile);
  }

  /// @param packed layout of the panels before they are unpacked
  static Code code(PanelLayout packed, RoundedTile tile) {
    Assembler a = new Assembler(CpuRow.AMX.needs());
    AmxProduct product = new AmxProduct(a, packed.unpacked(), tile);
    Label shapes = a.label();
    a.emit(Op.LDTILECFG, ptr(shapes));
    a.emit(Op.MOV, INTEGERS, ProductArguments.integers(RDI));
    tile.loop(product.layout).emit(a, product, Prefetch.NEVER);
    a.align(ROW_BYTES);
    a.place(shapes);
    a.data(product.shapes());
    return a.code();
  }

  private static Tile integers(int group) {
    return tmm(group);
  }

  private static Tile inputs(int group) {
    return tmm(2 + group);
  }

  private static Tile weights(int group) {
    return tmm(4 + group);
  }

  /// Words of a group.
  private int words() {
    return PanelLayout.WORDS / layout.groups();
  }

  /// What `ldtilecfg` loads (SDM volume 2, LDTILECFG): palette 1, bytes of a row of each tile as
  /// u16 from 16 on, rows from 48 on.
  private byte[] shapes() {
    byte[] shapes = new byte[64];
    shapes[0] = 1;
    for (int g = 0; g < layout.groups(); g++) {
      shape(shapes, integers(g), tile.rows(), ROW_BYTES);
      shape(shapes, inputs(g), tile.rows(), 4 * words());
      shape(shapes, weights(g), words(), ROW_BYTES);
    }
    return shapes;
  }

  private static void shape(byte[] shapes, Tile t, int rows, int rowBytes) {
    shapes[16 + 2 * t.number()] = (byte) rowBytes;
    shapes[48 + t.number()] = (byte) rows;
  }

  @Override
  public void begin() {
    super.begin();
    a.emit(Op.MOV, STRIDE.r32(), PanelLayout.BLOCK);
    multiply(0);
    store();
    multiply(1);
  }

  /// The tiles of a block, so many behind that at TILE and PANEL.
  private void multiply(int blocks) {
    int tileAt = blocks * tile.blockBytes();
    int panelAt = blocks * layout.blockBytes();
    for (int g = 0; g < layout.groups(); g++) {
      int word = g * words();
      a.emit(Op.TILELOADD, inputs(g), ptr(TILE, STRIDE, 1, tileAt + 4 * word));
      a.emit(Op.TILELOADD, weights(g), ptr(PANEL, STRIDE, 2, panelAt + layout.wordsAt(word)));
      a.emit(Op.TILEZERO, integers(g));
      a.emit(Op.TDPBSSD, integers(g), inputs(g), weights(g));
    }
  }

  /// C of the block that was multiplied last, at INTEGERS, which then are where the C before it is,
  /// and the next one will be.
  private void store() {
    for (int g = 0; g < layout.groups(); g++) {
      a.emit(Op.TILESTORED, ptr(INTEGERS, STRIDE, 2, C_BYTES * g), integers(g));
    }
    a.emit(Op.XOR, INTEGERS, BLOCK_C_BYTES);
  }

  @Override
  public void block() {
    store();
    multiply(2);
    for (int g = 0; g < layout.groups(); g++) {
      scales(layout.scalesAt(g));
      for (int r = 0; r < tile.rows(); r++) {
        a.emit(Op.VCVTDQ2PS, WORDS, ptr(INTEGERS, C_BYTES * g + ROW_BYTES * r));
        addScaled(r, WORDS);
      }
    }
    if (layout.minimum()) {
      scales(layout.minimumsAt());
      addMinimums();
    }
  }

  private void scales(int at) {
    if (layout.scaleBytes() > 0) {
      a.emit(Op.VMOVUPS, SCALES, ptr(PANEL, at));
    }
  }

  /// No tile is left to the caller, who would save and restore it with his other registers, or meet
  /// its shape.
  @Override
  public void end() {
    a.emit(Op.TILERELEASE);
  }
}

package dev.quern.provider.x86.linear;

import static dev.quern.provider.x86.asm.Mem.ptr;
import static dev.quern.provider.x86.asm.Vec.xmm;
import static dev.quern.provider.x86.asm.Vec.ymm;
import static dev.quern.provider.x86.linear.PanelLoop.PANEL;
import static dev.quern.provider.x86.linear.PanelLoop.TILE;

import dev.quern.provider.x86.asm.Assembler;
import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.asm.Gp;
import dev.quern.provider.x86.asm.Label;
import dev.quern.provider.x86.asm.Mem;
import dev.quern.provider.x86.asm.Op;
import dev.quern.provider.x86.asm.Vec;
import dev.quern.provider.x86.cpu.CpuRow;

/// Products by vectors of 256 bits: panels of 8 outputs ([PanelLayout]), up to four rows. Three
/// ways to multiply a word of weights, u8, by a word of x, s8:
///
/// - AVX-VNNI: `vpdpbusd`.
/// - AVX2, 4 bits: `vpmaddubsw`, whose int16 sums of two hold all 32 of a block: 32 values of x are
///   at most 127, nibbles 15, so that 16 pairs of products stay... two lanes of 16 products each,
///   below 16 * 15 * 127 = 30,480. `vpmaddwd` by ones adds the two lanes.
/// - AVX2, 8 bits: two products of a byte by a byte overflow int16. So the sign of a weight is moved
///   to x, and its magnitude, 128 at most, is multiplied: 2 * 128 * 127 = 32,512. The offset is
///   taken from the weights here, and there is no bias.
///
/// Registers:
///
///     ymm0 .. 3   sums, F32, of each row
///     ymm4 .. 7   the block's sums, integers; then as F32
///     ymm8        scales     ymm9, 10   words     ymm11   0x0F or 0x80 of every byte
///     ymm12       ones, int16     ymm13, 14   x, products     ymm15   mask of outputs
final class Avx2Product implements PanelLoop.Unit {
  static final int OUTPUTS = 8;
  static final int MAX_ROWS = 4;

  private static final Vec SCALES = ymm(8);
  private static final Vec WORDS = ymm(9);
  private static final Vec HIGH = ymm(10);
  private static final Vec BYTES = ymm(11);
  private static final Vec ONES = ymm(12);
  private static final Vec X = ymm(13);
  private static final Vec PRODUCT = ymm(14);
  private static final Vec MASK = ymm(15);

  private final Assembler a;
  private final PanelLayout layout;
  private final RoundedTile tile;
  private final boolean vnni;
  private final Label bits;

  private Avx2Product(Assembler a, PanelLayout layout, RoundedTile tile, boolean vnni) {
    this.a = a;
    this.layout = layout;
    this.tile = tile;
    this.vnni = vnni;
    bits = a.label();
  }

  static Code avxVnni(PanelLayout layout, RoundedTile tile) {
    return code(layout, tile, CpuRow.AVX_VNNI);
  }

  static Code avx2(PanelLayout layout, RoundedTile tile) {
    return code(layout, tile, CpuRow.AVX2);
  }

  private static Code code(PanelLayout layout, RoundedTile tile, CpuRow row) {
    Assembler a = new Assembler(row.needs());
    Avx2Product product = new Avx2Product(a, layout, tile, row.equals(CpuRow.AVX_VNNI));
    Label bytes = a.label();
    Label ones = a.label();
    a.emit(Op.VPBROADCASTD, BYTES, ptr(bytes));
    a.emit(Op.VPBROADCASTD, ONES, ptr(ones));
    new PanelLoop(layout, tile).emit(a, product, tile.rows() < MAX_ROWS);
    a.align(32);
    a.place(product.bits);
    a.data(1, 2, 4, 8, 16, 32, 64, 128);
    a.place(bytes);
    a.data(layout.bits() == 4 ? 0x0F0F_0F0F : 0x8080_8080);
    a.place(ones);
    a.data(0x0001_0001);
    return a.code();
  }

  private static Vec sum(int row) {
    return ymm(row);
  }

  private static Vec integers(int row) {
    return ymm(MAX_ROWS + row);
  }

  @Override
  public void begin() {
    for (int r = 0; r < tile.rows(); r++) {
      a.emit(Op.VXORPS, sum(r), sum(r), sum(r));
    }
  }

  @Override
  public void block() {
    for (int r = 0; r < tile.rows(); r++) {
      if (vnni) {
        a.emit(Op.VPBROADCASTD, integers(r), ptr(TILE, tile.biasAt(r)));
      } else {
        a.emit(Op.VPXOR, integers(r), integers(r), integers(r));
      }
    }
    for (int j = 0; j < layout.bits(); j++) {
      a.emit(Op.VMOVDQU, WORDS, ptr(PANEL, layout.wordsAt(j)));
      if (layout.bits() == 4) {
        a.emit(Op.VPSRLD, HIGH, WORDS, 4);
        a.emit(Op.VPAND, WORDS, WORDS, BYTES);
        a.emit(Op.VPAND, HIGH, HIGH, BYTES);
        dot(WORDS, 4 * j);
        dot(HIGH, 4 * j + PanelLayout.BLOCK / 2);
      } else if (vnni) {
        dot(WORDS, 4 * j);
      } else {
        a.emit(Op.VPXOR, WORDS, WORDS, BYTES);
        a.emit(Op.VPABSB, HIGH, WORDS);
        signedDot(WORDS, HIGH, 4 * j);
      }
    }
    a.emit(Op.VCVTPH2PS, SCALES, ptr(PANEL));
    for (int r = 0; r < tile.rows(); r++) {
      if (!vnni && layout.bits() == 4) {
        a.emit(Op.VPMADDWD, integers(r), integers(r), ONES);
        a.emit(Op.VPBROADCASTD, X, ptr(TILE, tile.biasAt(r)));
        a.emit(Op.VPADDD, integers(r), integers(r), X);
      }
      a.emit(Op.VCVTDQ2PS, integers(r), integers(r));
      a.emit(Op.VBROADCASTSS, X, ptr(TILE, tile.scaleAt(r)));
      a.emit(Op.VMULPS, X, SCALES, X);
      a.emit(Op.VFMADD231PS, sum(r), integers(r), X);
    }
  }

  /// Four inputs of the block, from one on, of all rows; words are not negative.
  private void dot(Vec words, int input) {
    for (int r = 0; r < tile.rows(); r++) {
      a.emit(Op.VPBROADCASTD, X, ptr(TILE, tile.valuesAt(r) + input));
      if (vnni) {
        a.emit(Op.VPDPBUSD, integers(r), words, X);
      } else {
        a.emit(Op.VPMADDUBSW, PRODUCT, words, X);
        a.emit(Op.VPADDW, integers(r), integers(r), PRODUCT);
      }
    }
  }

  private void signedDot(Vec words, Vec magnitudes, int input) {
    for (int r = 0; r < tile.rows(); r++) {
      a.emit(Op.VPBROADCASTD, X, ptr(TILE, tile.valuesAt(r) + input));
      a.emit(Op.VPSIGNB, X, X, words);
      a.emit(Op.VPMADDUBSW, PRODUCT, magnitudes, X);
      a.emit(Op.VPMADDWD, PRODUCT, PRODUCT, ONES);
      a.emit(Op.VPADDD, integers(r), integers(r), PRODUCT);
    }
  }

  @Override
  public void mask(Gp outputs) {
    a.emit(Op.VMOVD, xmm(MASK.number()), outputs);
    a.emit(Op.VPBROADCASTD, MASK, xmm(MASK.number()));
    a.emit(Op.VPAND, MASK, MASK, ptr(bits));
    a.emit(Op.VPCMPEQD, MASK, MASK, ptr(bits));
  }

  @Override
  public void add(int row, Mem y) {
    a.emit(Op.VMASKMOVPS, X, MASK, y);
    a.emit(Op.VADDPS, sum(row), sum(row), X);
  }

  @Override
  public void store(int row, Mem y) {
    a.emit(Op.VMASKMOVPS, y, MASK, sum(row));
  }
}

package dev.quern.provider.x86.linear.int8;

import static dev.quern.provider.x86.asm.Mem.ptr;
import static dev.quern.provider.x86.asm.Vec.xmm;
import static dev.quern.provider.x86.asm.Vec.ymm;
import static dev.quern.provider.x86.linear.panel.PanelLoop.HEAD;
import static dev.quern.provider.x86.linear.panel.PanelLoop.PANEL;
import static dev.quern.provider.x86.linear.panel.PanelLoop.TILE;

import dev.quern.provider.x86.asm.Assembler;
import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.asm.Gp;
import dev.quern.provider.x86.asm.Label;
import dev.quern.provider.x86.asm.Mem;
import dev.quern.provider.x86.asm.Op;
import dev.quern.provider.x86.asm.Vec;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.linear.panel.PanelLayout;
import dev.quern.provider.x86.linear.panel.PanelLayout.Scales;
import dev.quern.provider.x86.linear.panel.PanelLoop;
import dev.quern.provider.x86.linear.panel.PanelLoop.Prefetch;

/// Products by vectors of 256 bits: panels of 8 outputs ([PanelLayout]), up to four rows. How words
/// of weights, u8, are multiplied by words of x, s8, and above -128 but for `int8-asym-row`:
///
/// - AVX-VNNI: `vpdpbusd`.
/// - AVX2, 4 bits: `vpmaddubsw` adds two products in int16. A lane of all eight words has 16
///   products, 16 * 15 * 128 = 30,720 at most; `vpmaddwd` by ones adds two lanes.
/// - AVX2, 5 and 6 bits: the same for two words, 4 * 63 * 127 = 32,004 at most.
/// - AVX2, 8 bits: two products of u8 by s8 overflow int16. So a weight, less its offset, gives its
///   sign to x and is multiplied as a magnitude, 2 * 128 * 127 = 32,512 at most; there is nothing
///   left to subtract. Values that 4 bits are looked up for are of 8 bits, and their table has none
///   of the offset.
/// - AVX2, 8 bits, x down to -128 (`int8-asym-row`), which has no opposite: the lower and the upper
///   nibbles of a word by themselves, 2 * 15 * 128 = 3,840 at most; `vpmaddwd` by 1 and by 16.
///
/// Registers:
///
///     ymm0 .. 3   sums, F32, of each row
///     ymm4 .. 7   sums of a group, integers; then as F32
///     ymm8        scales, minimums     ymm9, 10   words
///     ymm11       0x0F or 0x80 of every byte     ymm12   ones, int16     ymm13   upper bits of bytes, or 16s, int16, or the table
///     ymm14       x, spare     ymm15   products; then the mask of outputs
final class Avx2Product implements PanelLoop.Unit {
  static final int OUTPUTS = 8;
  static final int MAX_ROWS = 4;

  private static final Vec SCALES = ymm(8);
  private static final Vec WORDS = ymm(9);
  private static final Vec OTHER = ymm(10);
  private static final Vec BYTES = ymm(11);
  private static final Vec ONES = ymm(12);
  private static final Vec UPPER = ymm(13);
  private static final Vec TABLE = ymm(13);
  private static final Vec X = ymm(14);
  private static final Vec PRODUCT = ymm(15);
  private static final Vec MASK = ymm(15);

  /// Of values of 8 bits.
  private static final int OFFSET = 128;

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
    Label upper = a.label();
    Label table = a.label();
    if (layout.bits() < 8 || !product.vnni) {
      a.emit(Op.VPBROADCASTD, BYTES, ptr(bytes));
    }
    if (!product.vnni) {
      a.emit(Op.VPBROADCASTD, ONES, ptr(ones));
    }
    boolean nibblesOf8 = layout.valueBits() == 8 && !product.vnni && !product.magnitudes();
    if (layout.planes() > 0 || nibblesOf8) {
      a.emit(Op.VPBROADCASTD, UPPER, ptr(upper));
    }
    if (layout.looksUp()) {
      a.emit(Op.VMOVDQU, TABLE, ptr(table));
    }
    tile.loop(layout).emit(a, product, Prefetch.of(tile.rows(), MAX_ROWS));
    a.align(32);
    a.place(product.bits);
    a.data(1, 2, 4, 8, 16, 32, 64, 128);
    a.place(bytes);
    a.data(layout.bits() == 8 && product.magnitudes() ? 0x8080_8080 : 0x0F0F_0F0F);
    a.place(ones);
    a.data(0x0001_0001);
    a.place(upper);
    a.data(nibblesOf8 ? 0x0010_0010 : layout.upperBits());
    if (layout.looksUp()) {
      a.place(table);
      a.data(layout.lookupWords(TABLE.bytes(), product.magnitudes() ? 0 : OFFSET));
    }
    return a.code();
  }

  private static Vec sum(int row) {
    return ymm(row);
  }

  private static Vec integers(int row) {
    return ymm(MAX_ROWS + row);
  }

  /// Whether the sums of a group are int16 until its end.
  private boolean sums16() {
    return !vnni && layout.valueBits() == 4;
  }

  /// Whether the sums of a group begin with its term. int16 is too narrow for it, and the 8 bits of
  /// AVX2 have none.
  private boolean termFirst() {
    return !layout.minimum() && !sums16() && !magnitudes();
  }

  /// Whether signs of weights go to x.
  private boolean magnitudes() {
    return magnitudes(layout) && !vnni;
  }

  /// Whether AVX2 multiplies magnitudes of such weights.
  static boolean magnitudes(PanelLayout layout) {
    return layout.valueBits() == 8 && !layout.wholeRows();
  }

  @Override
  public void begin() {
    for (int r = 0; r < tile.rows(); r++) {
      a.emit(Op.VXORPS, sum(r), sum(r), sum(r));
    }
  }

  @Override
  public void block() {
    int words = PanelLayout.WORDS / layout.groups();
    for (int g = 0; g < layout.groups(); g++) {
      for (int r = 0; r < tile.rows(); r++) {
        if (termFirst()) {
          a.emit(Op.VPBROADCASTD, integers(r), ptr(TILE, tile.termAt(r, g)));
        } else if (vnni) {
          a.emit(Op.VPXOR, integers(r), integers(r), integers(r));
        }
      }
      for (int k = g * words; k < (g + 1) * words; k += 2) {
        boolean first = k == g * words && !termFirst();
        word(k, WORDS);
        if (vnni || layout.valueBits() == 8) {
          dot(k, first);
          word(k + 1, WORDS);
          dot(k + 1, false);
        } else {
          word(k + 1, OTHER);
          dotOfTwo(k, first);
        }
      }
      scales(layout.scalesAt(g), 0);
      for (int r = 0; r < tile.rows(); r++) {
        if (sums16()) {
          a.emit(Op.VPMADDWD, integers(r), integers(r), ONES);
          if (!layout.minimum()) {
            a.emit(Op.VPBROADCASTD, X, ptr(TILE, tile.termAt(r, g)));
            a.emit(Op.VPADDD, integers(r), integers(r), X);
          }
        }
        a.emit(Op.VCVTDQ2PS, integers(r), integers(r));
        switch (layout.scales()) {
          case F32_FOOT -> a.emit(Op.VADDPS, sum(r), sum(r), integers(r));
          case BF16_HEAD -> a.emit(Op.VFMADD231PS, sum(r), integers(r), SCALES);
          case F16, U8, S8_HALVES -> {
            a.emit(Op.VBROADCASTSS, X, ptr(TILE, tile.scaleAt(r)));
            a.emit(Op.VMULPS, X, SCALES, X);
            a.emit(Op.VFMADD231PS, sum(r), integers(r), X);
          }
        }
      }
    }
    if (layout.minimum()) {
      scales(layout.minimumsAt(), layout.headMinimumsAt());
      for (int r = 0; r < tile.rows(); r++) {
        a.emit(Op.VBROADCASTSS, X, ptr(TILE, tile.termAt(r, 0)));
        a.emit(Op.VFMADD231PS, sum(r), SCALES, X);
      }
    }
  }

  /// Word k of all outputs.
  private void word(int k, Vec into) {
    if (layout.bits() == 8) {
      a.emit(Op.VMOVDQU, into, ptr(PANEL, layout.wordsAt(k)));
    } else if (k < 4) {
      a.emit(Op.VPAND, into, BYTES, ptr(PANEL, layout.wordsAt(k)));
    } else {
      a.emit(Op.VMOVDQU, into, ptr(PANEL, layout.wordsAt(k - 4)));
      a.emit(Op.VPSRLD, into, into, 4);
      a.emit(Op.VPAND, into, into, BYTES);
    }
    if (layout.looksUp()) {
      a.emit(Op.VPSHUFB, into, TABLE, into);
    }
    if (layout.planes() > 0) {
      int left = layout.planeShift(k);
      a.emit(Op.VMOVDQU, X, ptr(PANEL, layout.planeAt(layout.planeOf(k))));
      if (left != 0) {
        a.emit(left > 0 ? Op.VPSLLD : Op.VPSRLD, X, X, Math.abs(left));
      }
      a.emit(Op.VPAND, X, X, UPPER);
      a.emit(Op.VPOR, into, into, X);
    }
  }

  /// Word k of weights by that of all rows.
  ///
  /// @param first whether the sums begin here
  private void dot(int k, boolean first) {
    if (magnitudes()) {
      if (!layout.looksUp()) {
        a.emit(Op.VPXOR, WORDS, WORDS, BYTES);
      }
      a.emit(Op.VPABSB, OTHER, WORDS);
    } else if (!vnni) {
      a.emit(Op.VPSRLD, OTHER, WORDS, 4);
      a.emit(Op.VPAND, WORDS, WORDS, BYTES);
      a.emit(Op.VPAND, OTHER, OTHER, BYTES);
    }
    for (int r = 0; r < tile.rows(); r++) {
      a.emit(Op.VPBROADCASTD, X, ptr(TILE, tile.valuesAt(r) + 4 * k));
      if (vnni) {
        a.emit(Op.VPDPBUSD, integers(r), WORDS, X);
      } else if (magnitudes()) {
        a.emit(Op.VPSIGNB, X, X, WORDS);
        a.emit(Op.VPMADDUBSW, PRODUCT, OTHER, X);
        addProduct(r, first);
      } else {
        a.emit(Op.VPMADDUBSW, PRODUCT, WORDS, X);
        addProduct(r, false);
        a.emit(Op.VPMADDUBSW, PRODUCT, OTHER, X);
        a.emit(Op.VPMADDWD, PRODUCT, PRODUCT, UPPER);
        a.emit(Op.VPADDD, integers(r), integers(r), PRODUCT);
      }
    }
  }

  /// Words k and k + 1.
  private void dotOfTwo(int k, boolean first) {
    for (int r = 0; r < tile.rows(); r++) {
      a.emit(Op.VPBROADCASTD, X, ptr(TILE, tile.valuesAt(r) + 4 * k));
      a.emit(Op.VPMADDUBSW, PRODUCT, WORDS, X);
      a.emit(Op.VPBROADCASTD, X, ptr(TILE, tile.valuesAt(r) + 4 * (k + 1)));
      a.emit(Op.VPMADDUBSW, X, OTHER, X);
      if (sums16()) {
        a.emit(Op.VPADDW, first ? integers(r) : PRODUCT, PRODUCT, X);
        if (!first) {
          a.emit(Op.VPADDW, integers(r), integers(r), PRODUCT);
        }
      } else {
        a.emit(Op.VPADDW, PRODUCT, PRODUCT, X);
        addProduct(r, first);
      }
    }
  }

  /// Adds lanes of two int16 to a row's sums of int32.
  private void addProduct(int row, boolean first) {
    a.emit(Op.VPMADDWD, first ? integers(row) : PRODUCT, PRODUCT, ONES);
    if (!first) {
      a.emit(Op.VPADDD, integers(row), integers(row), PRODUCT);
    }
  }

  /// Scales or minimums of the block as F32.
  ///
  /// @param at where they begin
  /// @param headAt where their factors are in the head, if they are bytes
  private void scales(int at, int headAt) {
    switch (layout.scales()) {
      case F16 -> a.emit(Op.VCVTPH2PS, SCALES, ptr(PANEL, at));
      case U8 -> a.emit(Op.VPMOVZXBD, SCALES, ptr(PANEL, at));
      case S8_HALVES -> a.emit(Op.VPMOVSXBD, SCALES, ptr(PANEL, at));
      case BF16_HEAD -> {
        a.emit(Op.VPMOVZXWD, SCALES, ptr(HEAD));
        a.emit(Op.VPSLLD, SCALES, SCALES, 16);
      }
      case F32_FOOT -> {}
    }
    if (layout.hasHeads() && !layout.wholeRows()) {
      a.emit(Op.VCVTDQ2PS, SCALES, SCALES);
      a.emit(Op.VCVTPH2PS, X, ptr(HEAD, headAt));
      a.emit(Op.VMULPS, SCALES, SCALES, X);
    }
  }

  @Override
  public void foot() {
    a.emit(Op.VMOVUPS, WORDS, ptr(PANEL));
    for (int r = 0; r < tile.rows(); r++) {
      a.emit(Op.VBROADCASTSS, X, ptr(TILE, tile.zeroPointAt(r)));
      a.emit(Op.VFNMADD231PS, sum(r), WORDS, X);
      a.emit(Op.VBROADCASTSS, X, ptr(TILE, tile.stepAt(r)));
      a.emit(Op.VMULPS, sum(r), sum(r), X);
      if (layout.scales() == Scales.F32_FOOT) {
        a.emit(Op.VMULPS, sum(r), sum(r), ptr(PANEL, layout.footScalesAt()));
      }
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

package dev.quern.provider.x86.linear.panel;

import static dev.quern.provider.x86.asm.Gp.R11;
import static dev.quern.provider.x86.asm.Mem.ptr;
import static dev.quern.provider.x86.asm.Vec.xmm;
import static dev.quern.provider.x86.asm.Vec.ymm;

import dev.quern.provider.x86.asm.Assembler;
import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.asm.Label;
import dev.quern.provider.x86.asm.Op;
import dev.quern.provider.x86.asm.Vec;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.linear.panel.PanelLayout.Scales;
import java.util.ArrayList;
import java.util.List;

/// Packs eight rows of weights in blocks into a [PanelLayout], by [PackingSteps]; a step packs the
/// blocks of 32 inputs that share a head:
///
///     head     d and the minimums' d, or the scales of the plane
///     block    scales, minimums, planes, words: as PanelFormat says
///     foot     sum = Σ scale * Σ (stored - offset), in F64, rounded once; the plane's scales
///
///     ymm0 .. 3 values   11 Σ stored of a block   12, 13 scales of rows 0 .. 3, 4 .. 7 in F64
///     14, 15 their sums; 12 is one where the foot has the scales
public final class PanelPacking {
  private static final Vec BLOCK_SUM = ymm(11);
  private static final int NIBBLES = 0x0F0F_0F0F;
  private static final int ONES_8 = 0x0101_0101;
  private static final int ONES_16 = 0x0001_0001;

  private final Assembler a = new Assembler(CpuRow.AVX2.needs());
  private final PanelFormat format;
  private final PanelLayout layout;
  private final PackingSteps steps;
  private final Label one = a.label(); // F64, four times

  private PanelPacking(PanelFormat format, PanelLayout layout) {
    this.format = format;
    this.layout = layout;
    steps = new PackingSteps(a, blockBytes(format));
  }

  /// The code that packs eight rows of a format into panels of a layout.
  public static Code code(PanelFormat format, PanelLayout layout) {
    return new PanelPacking(format, layout).emit();
  }

  /// Inputs that a step packs.
  public static int inputs(PanelFormat format) {
    return PanelLayout.BLOCK * format.blocksPerHead();
  }

  private static int blockBytes(PanelFormat format) {
    return Math.toIntExact(format.format().rowBytes(inputs(format)));
  }

  private Code emit() {
    boolean footScales = layout.scales() == Scales.F32_FOOT;
    steps.begin();
    if (layout.wholeRows()) {
      a.emit(Op.VXORPS, ymm(14), ymm(14), ymm(14));
      a.emit(Op.VXORPS, ymm(15), ymm(15), ymm(15));
    }
    if (footScales) {
      a.emit(Op.VMOVUPS, ymm(12), ptr(one));
    }
    int bytes = layout.headBytes() + layout.blocksPerHead() * layout.blockBytes();
    steps.loop(
        words(),
        bytes,
        () -> {
          if (layout.scales() == Scales.BF16_HEAD) {
            planeScales();
          } else if (layout.hasHeads()) {
            store(format.head().of(0), 0, Short.BYTES);
            if (layout.minimum()) {
              store(format.headMinimum().of(0), layout.headMinimumsAt(), Short.BYTES);
            }
          }
          for (int n = 0; n < layout.blocksPerHead(); n++) {
            block(n, layout.headBytes() + n * layout.blockBytes());
          }
        });
    if (layout.wholeRows()) {
      foot(footScales);
    }
    a.end();
    steps.constants();
    if (footScales) {
      a.place(one);
      int upper = (int) (Double.doubleToRawLongBits(1) >>> Integer.SIZE);
      a.data(0, upper, 0, upper, 0, upper, 0, upper);
    }
    return a.code();
  }

  /// All that is stored.
  private List<BlockWord> words() {
    List<BlockWord> all = new ArrayList<>();
    if (layout.hasHeads() && layout.scales() != Scales.BF16_HEAD) {
      all.add(format.head().of(0));
      if (layout.minimum()) {
        all.add(format.headMinimum().of(0));
      }
    }
    for (int n = 0; n < layout.blocksPerHead(); n++) {
      for (int g = 0; g < layout.groups() && layout.scaleBytes() > 0; g++) {
        all.add(format.scale().of(n * layout.groups() + g));
      }
      if (layout.minimum()) {
        all.add(format.minimum().of(n));
      }
      for (int k = 0; k < PanelLayout.WORDS; k++) {
        if (k < layout.storedWords()) {
          all.add(format.words().of(n, k));
        }
        if (layout.planes() > 0) {
          all.add(format.upper().of(n, k));
        }
      }
    }
    return all;
  }

  private void store(BlockWord word, int at, int bytes) {
    steps.value(word, 0);
    steps.store(0, at, bytes);
  }

  /// The next scale of each row, to the head and to ymm12 and 13.
  private void planeScales() {
    a.emit(Op.MOV, R11, PackingSteps.SCALES_ADDRESS);
    for (int i = 0; i < PackingSteps.ROWS; i++) {
      if (i > 0) {
        a.emit(Op.ADD, R11, PackingSteps.SCALE_ROW_BYTES);
      }
      a.emit(Op.VPINSRW, xmm(0), xmm(0), ptr(R11), i);
    }
    a.emit(Op.ADD, PackingSteps.SCALES_ADDRESS, Short.BYTES);
    a.emit(Op.VMOVDQU, steps.lane(0, Short.BYTES), xmm(0));
    a.emit(Op.VPMOVZXWD, ymm(0), xmm(0));
    a.emit(Op.VPSLLD, ymm(0), ymm(0), 16);
    a.emit(Op.VCVTPS2PD, ymm(12), xmm(0));
    a.emit(Op.VEXTRACTI128, xmm(0), ymm(0), 1);
    a.emit(Op.VCVTPS2PD, ymm(13), xmm(0));
  }

  /// 32 inputs n, to a place in the panel.
  private void block(int n, int to) {
    for (int g = 0; g < layout.groups() && layout.scaleBytes() > 0; g++) {
      BlockWord scale = format.scale().of(n * layout.groups() + g);
      store(scale, to + layout.scalesAt(g), layout.scaleBytes());
    }
    if (layout.minimum()) {
      store(format.minimum().of(n), to + layout.minimumsAt(), layout.scaleBytes());
    }
    for (int p = 0; p < layout.planes(); p++) {
      store(plane(n, p), to + layout.planeAt(p), Integer.BYTES);
    }
    for (int j = 0; j < layout.storedWords(); j++) {
      steps.value(format.words().of(n, j), 0);
      if (layout.wholeRows()) {
        sum(j);
      }
      steps.store(0, to + layout.wordsAt(j), Integer.BYTES);
    }
    if (layout.wholeRows()) {
      scaledSum();
    }
  }

  /// Upper bits of the words that a plane has.
  private BlockWord plane(int n, int plane) {
    BlockWord all = null;
    for (int k = 0; k < PanelLayout.WORDS; k++) {
      if (layout.planeOf(k) == plane) {
        BlockWord bits = format.upper().of(n, k).shift(4 - layout.planeShift(k));
        all = all == null ? bits : all.or(bits);
      }
    }
    return all;
  }

  /// Adds the values of stored words j, two and two: as 16 bits each.
  private void sum(int j) {
    Vec bytes = ymm(0);
    if (layout.bits() < 8) {
      bytes = ymm(1);
      a.emit(Op.VPAND, ymm(1), ymm(0), steps.all(NIBBLES));
      a.emit(Op.VPSRLD, ymm(2), ymm(0), 4);
      a.emit(Op.VPAND, ymm(2), ymm(2), steps.all(NIBBLES));
      a.emit(Op.VPADDB, ymm(1), ymm(1), ymm(2));
    }
    if (j == 0) {
      a.emit(Op.VPMADDUBSW, BLOCK_SUM, bytes, steps.all(ONES_8));
    } else {
      a.emit(Op.VPMADDUBSW, ymm(2), bytes, steps.all(ONES_8));
      a.emit(Op.VPADDW, BLOCK_SUM, BLOCK_SUM, ymm(2));
    }
  }

  /// Adds a block's sum to those of the rows.
  private void scaledSum() {
    a.emit(Op.VPMADDWD, BLOCK_SUM, BLOCK_SUM, steps.all(ONES_16));
    a.emit(Op.VPSUBD, BLOCK_SUM, BLOCK_SUM, steps.all(PanelLayout.BLOCK * format.offset()));
    a.emit(Op.VCVTDQ2PD, ymm(0), BLOCK_SUM.as(128));
    a.emit(Op.VFMADD231PD, ymm(14), ymm(0), ymm(12));
    a.emit(Op.VEXTRACTI128, xmm(0), BLOCK_SUM, 1);
    a.emit(Op.VCVTDQ2PD, ymm(0), xmm(0));
    Vec upper = layout.scales() == Scales.F32_FOOT ? ymm(12) : ymm(13);
    a.emit(Op.VFMADD231PD, ymm(15), ymm(0), upper);
  }

  private void foot(boolean scales) {
    a.emit(Op.VCVTPD2PS, xmm(0), ymm(14));
    a.emit(Op.VCVTPD2PS, xmm(1), ymm(15));
    a.emit(Op.VINSERTF128, ymm(0), ymm(0), xmm(1), 1);
    a.emit(Op.VMOVUPS, steps.lane(0, Float.BYTES), ymm(0));
    if (scales) {
      a.emit(Op.MOV, R11, PackingSteps.SCALES_ADDRESS);
      a.emit(Op.VMOVUPS, ymm(0), ptr(R11));
      a.emit(Op.VMOVUPS, steps.lane(layout.footScalesAt(), Float.BYTES), ymm(0));
    }
  }
}

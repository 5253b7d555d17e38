package dev.quern.provider.x86.linear;

import dev.quern.op.LinearPacker;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.linear.bf16.AmxBf16Product;
import dev.quern.provider.x86.linear.bf16.Bf16Code;
import dev.quern.provider.x86.linear.bf16.Bf16Linears;
import dev.quern.provider.x86.linear.floats.FloatLinear;
import dev.quern.provider.x86.linear.int8.Int8Code;
import dev.quern.provider.x86.linear.int8.Int8Linear;
import dev.quern.provider.x86.linear.int8.Int8Linears;
import dev.quern.provider.x86.linear.panel.PanelFormat;
import dev.quern.provider.x86.linear.panel.PanelWeights;
import dev.quern.provider.x86.memory.RefusedException;
import dev.quern.spi.Offer;
import dev.quern.spi.Variant;
import java.util.List;
import java.util.Set;

/// Linear operators of weights in blocks on a CPU with AMX: int8 dot products for few rows, which
/// wait for memory, and tiles of BF16 for many, from the same panels. These multiply faster than
/// tiles of int8, whose sums have to be scaled every 32 inputs, and round less, but a panel has to
/// be decoded for them.
///
/// Not invariant: a row's bits depend on which of the two variants its call runs on.
public final class MixedLinears {
  /// Rows from which decoding is a small part of the work: a tile of x of full height.
  static final int TILES_FROM = AmxBf16Product.MAX_ROWS;

  private final Int8Linears int8;
  private final Bf16Linears bf16;

  /// @param int8 of [CpuRow#AMX], or of [CpuRow#AVX512_VNNI]
  /// @param bf16 of [CpuRow#AMX]
  public MixedLinears(Int8Linears int8, Bf16Linears bf16) {
    this.int8 = int8;
    this.bf16 = bf16;
  }

  /// Offers a linear operator.
  public Offer<LinearPacker> offer(LinearSpec spec) {
    PanelFormat format = PanelFormat.of(spec.weights()).orElse(null);
    if (format == null) {
      return Offer.declined("no int8 products of weight format " + spec.weights());
    }
    Numerics few = format.numerics();
    if (!spec.tolerated().containsAll(Set.of(few, Numerics.BF16))) {
      return Offer.declined(
          "it runs with "
              + few
              + " and "
              + Numerics.BF16
              + ", and the spec tolerates "
              + spec.tolerated());
    }
    Int8Code int8Code;
    Bf16Code bf16Code;
    try {
      int8Code = int8.code(format);
      bf16Code = bf16.code(spec.weights()).orElseThrow();
    } catch (RefusedException e) {
      return Offer.declined(e.getMessage());
    }
    LinearPacker packer =
        (stacked, allocator, workers) -> {
          PanelWeights weights = int8Code.pack(spec, stacked, allocator, workers);
          return new MixedLinear(
              new Int8Linear(spec, int8Code, weights),
              new FloatLinear(spec, bf16Code, weights),
              TILES_FROM);
        };
    return new Offer.Accepted<>(
        packer,
        List.of(
            new Variant(int8Code.name(), 1, few),
            new Variant(Bf16Code.name(spec.weights(), CpuRow.AMX), TILES_FROM, Numerics.BF16)));
  }
}

package dev.quern.arm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.quern.data.BlockFormat;
import dev.quern.data.WeightMatrix;
import dev.quern.op.LinearPacker;
import dev.quern.op.LinearSpec;
import dev.quern.provider.kleidi.KleidiProvider;
import dev.quern.provider.scalar.ScalarProvider;
import dev.quern.spi.Availability;
import dev.quern.spi.KernelProvider;
import dev.quern.spi.Offer;
import dev.quern.spi.Platform;
import dev.quern.spi.Spec;
import dev.quern.testing.TestWeights;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;

/// Rounds a model's matrices to int4 in blocks of 32 as they are packed, and hands them to another
/// provider: an int4 copy of a model, whatever its file holds.
///
/// A block's scale is its largest value by magnitude divided by -8, rounded to BF16.
abstract sealed class Int4Copy implements KernelProvider {
  private static final BlockFormat INT4 = BlockFormat.INT4_B32;
  private final KernelProvider to;

  Int4Copy(KernelProvider to) {
    this.to = to;
  }

  /// For KleidiAI.
  public static final class OnKleidi extends Int4Copy {
    public OnKleidi() {
      super(new KleidiProvider());
    }
  }

  /// For plain Java: the reference.
  public static final class OnScalar extends Int4Copy {
    public OnScalar() {
      super(new ScalarProvider());
    }
  }

  @Override
  public String name() {
    return "int4-" + to.name();
  }

  @Override
  public int priority() {
    return 300 + to.priority();
  }

  @Override
  public int specVersion() {
    return Spec.VERSION;
  }

  @Override
  public Availability availability(Platform platform) {
    return to.availability(platform);
  }

  @Override
  public Offer<LinearPacker> linear(LinearSpec spec) {
    if (spec.inputs() % INT4.blockElements() != 0) {
      return Offer.declined("inputs=" + spec.inputs() + ", expected a multiple of 32");
    }
    LinearSpec int4 =
        new LinearSpec(INT4, spec.outputs(), spec.inputs(), spec.accumulate(), spec.tolerated());
    return switch (to.linear(int4)) {
      case Offer.Declined<LinearPacker> d -> Offer.declined(d.reason());
      case Offer.Accepted<LinearPacker> a ->
          new Offer.Accepted<>(
              (stacked, packed, workers) ->
                  a.kernel()
                      .pack(
                          stacked.stream().map(w -> rounded(w, packed)).toList(), packed, workers),
              a.variants());
    };
  }

  private static WeightMatrix rounded(WeightMatrix from, SegmentAllocator memory) {
    int blocks = Math.toIntExact(from.outputs() * INT4.blocksPerRow(from.inputs()));
    MemorySegment data = memory.allocate(16L * blocks);
    MemorySegment scales = memory.allocate(2L * blocks, 2);
    float[] x = new float[32];
    for (int b = 0; b < blocks; b++) {
      int perRow = from.inputs() / 32;
      float largest = 0;
      for (int i = 0; i < 32; i++) {
        x[i] = TestWeights.value(from, b / perRow, b % perRow * 32 + i);
        largest = Math.abs(x[i]) > Math.abs(largest) ? x[i] : largest;
      }
      int bits = Float.floatToRawIntBits(largest / -8);
      int bf16 = bits + 0x7FFF + (bits >>> 16 & 1) >>> 16; // ties to even
      scales.set(JAVA_SHORT_UNALIGNED, 2L * b, (short) bf16);
      float scale = Float.intBitsToFloat(bf16 << 16);
      for (int j = 0; j < 16; j++) {
        data.set(
            JAVA_BYTE,
            16L * b + j,
            (byte) (nibble(x[2 * j], scale) | nibble(x[2 * j + 1], scale) << 4));
      }
    }
    return new WeightMatrix(INT4, data, scales, from.outputs(), from.inputs());
  }

  private static int nibble(float value, float scale) {
    return scale == 0 ? 8 : Math.clamp(Math.round(value / scale) + 8, 0, 15);
  }
}

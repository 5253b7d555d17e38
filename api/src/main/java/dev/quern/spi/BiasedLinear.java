package dev.quern.spi;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.quern.data.F32Matrix;
import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import dev.quern.data.Workspace;
import dev.quern.op.LinearKernel;
import dev.quern.op.LinearPacker;
import dev.quern.op.LinearSpec;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.List;
import java.util.function.Function;

/// A bias for linear kernels that have none but can accumulate: each row of y is set to the bias,
/// or where the spec accumulates has the bias added, and then the kernel adds its products to it.
/// Such a kernel is as invariant as the one that accumulates, and keeps its scratch.
///
/// @since 0.1
/// @stability contract
public final class BiasedLinear {
  /// Numbers of y from which on the workers write them: fewer take less than to wake a thread.
  private static final long MANY = 1 << 16;

  private BiasedLinear() {}

  /// A provider's offer for a spec, with a bias or without.
  ///
  /// @param spec what is asked for
  /// @param offers the provider's offers for specs without a bias
  public static Offer<LinearPacker> offer(
      LinearSpec spec, Function<LinearSpec, Offer<LinearPacker>> offers) {
    if (!spec.bias()) {
      return offers.apply(spec);
    }
    return switch (offers.apply(spec.withBias(false).withAccumulate(true))) {
      case Offer.Accepted<LinearPacker> a ->
          new Offer.Accepted<>(new Packer(a.kernel(), spec.accumulate()), a.variants());
      case Offer.Declined<LinearPacker> declined -> declined;
    };
  }

  /// @param accumulating packs kernels that add to y
  /// @param add whether the bias is added to y, too
  private record Packer(LinearPacker accumulating, boolean add) implements LinearPacker {
    @Override
    public LinearKernel pack(List<WeightMatrix> stacked, SegmentAllocator packed, Workers workers) {
      throw new IllegalArgumentException("pack without a bias, expected one: the spec has a bias");
    }

    @Override
    public LinearKernel pack(
        List<WeightMatrix> stacked, MemorySegment bias, SegmentAllocator packed, Workers workers) {
      LinearKernel kernel = accumulating.pack(stacked, packed, workers);
      MemorySegment own = packed.allocate(bias.byteSize(), Workspace.SCRATCH_ALIGNMENT);
      return new Biased(kernel, own.copyFrom(bias), add);
    }
  }

  /// @param kernel adds to y
  /// @param bias `f32[outputs]`
  private record Biased(LinearKernel kernel, MemorySegment bias, boolean add)
      implements LinearKernel {
    @Override
    public boolean retainsSource() {
      return kernel.retainsSource();
    }

    @Override
    public long scratchBytes(int rows, int parallelism) {
      return kernel.scratchBytes(rows, parallelism);
    }

    @Override
    public void apply(F32Matrix x, F32Matrix y, Workspace w) {
      int rows = y.rows();
      int tasks = (long) rows * y.columns() < MANY ? 1 : Math.min(rows, w.workers().parallelism());
      if (tasks == 1) {
        begin(y, 0, rows);
      } else {
        w.workers()
            .run(
                tasks,
                (task, worker) ->
                    begin(
                        y,
                        (int) ((long) rows * task / tasks),
                        (int) ((long) rows * (task + 1) / tasks)));
      }
      kernel.apply(x, y, w);
    }

    /// What the products are added to, in rows from (inclusive) to `to` (exclusive).
    private void begin(F32Matrix y, int from, int to) {
      MemorySegment data = y.data();
      int outputs = y.columns();
      for (int row = from; row < to; row++) {
        long at = y.offsetBytes(row, 0);
        if (!add) {
          MemorySegment.copy(bias, 0, data, at, 4L * outputs);
          continue;
        }
        for (int o = 0; o < outputs; o++) {
          long i = at + 4L * o;
          data.set(JAVA_FLOAT, i, data.get(JAVA_FLOAT, i) + bias.get(JAVA_FLOAT, 4L * o));
        }
      }
    }
  }
}

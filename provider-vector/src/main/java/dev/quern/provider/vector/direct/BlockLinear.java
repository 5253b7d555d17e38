package dev.quern.provider.vector.direct;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.quern.data.F32Matrix;
import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import dev.quern.data.Workspace;
import dev.quern.op.LinearKernel;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.provider.vector.lanes.Finite;
import dev.quern.provider.vector.lanes.Lanes;
import dev.quern.provider.vector.lanes.Split;
import dev.quern.spi.Variant;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// `y[r][o] = Σ_i x[r][i] * W[o][i]` in F32, over weights that are read where they lie.
///
/// One row of x: two rows of W at a time are multiplied straight from their blocks. Several rows: a
/// task takes some outputs, decodes [#DEPTH] columns of them to scratch, where they stay in the
/// second-level cache, and multiplies them by all rows of x in tiles, of which the part of x stays
/// in the first. Scratch of each worker:
///
/// ```
/// one row       sums: f32[2][L] | what the format's Dot wants
/// several rows  w: f32[OUTPUTS][DEPTH] | sums of a tile | y: f32[rows][OUTPUTS] | decoder's
/// ```
public final class BlockLinear implements LinearKernel {
  /// Columns that are decoded at a time: a tile of x takes 24 or 32 kB. A multiple of every block.
  private static final int DEPTH = 2048;

  /// Outputs of a task, at most: with DEPTH columns 192 kB. A multiple of every tile's rows.
  private static final int OUTPUTS = 24;

  private static final Tile TILE = Tile.PREFERRED;

  private final LinearSpec spec;
  private final BlockReader reader;

  /// The stacked matrices, by output rows.
  private final WeightMatrix[] stacked;

  private final DamagedHalves damaged;

  public BlockLinear(
      LinearSpec spec, BlockReader reader, List<WeightMatrix> stacked, Workers workers) {
    damaged = DamagedHalves.of(stacked, workers);
    this.spec = spec;
    this.reader = reader;
    this.stacked = stacked.toArray(WeightMatrix[]::new);
  }

  @Override
  public boolean retainsSource() {
    return true;
  }

  @Override
  public long scratchBytes(int rows, int parallelism) {
    return parallelism * Math.max(oneRowBytes(), rows == 1 ? 0 : rowsBytes(rows));
  }

  private long oneRowBytes() {
    return Split.align(2 * Lanes.BYTES) + BlockReader.DOT_BYTES;
  }

  private long rowsBytes(int rows) {
    return decoderAt(rows) + BlockReader.DECODER_BYTES;
  }

  /// Floats of a decoded row.
  private int depth() {
    return Math.min(DEPTH, spec.inputs());
  }

  private long strideBytes() {
    return Split.align(4L * depth());
  }

  private long sumsAt() {
    return OUTPUTS * strideBytes();
  }

  private long yAt() {
    return sumsAt() + Split.align(TILE.sumsBytes());
  }

  private long decoderAt(int rows) {
    return yAt() + Split.align(4L * rows * OUTPUTS);
  }

  @Override
  public void apply(F32Matrix x, F32Matrix y, Workspace w) {
    MemorySegment scratch = w.scratch();
    int outputs = spec.outputs();
    if (x.rows() == 1) {
      Split.run(
          Math.ceilDiv(outputs, 2),
          w.workers(),
          (begin, end, worker) -> {
            int to = Math.min(outputs, 2 * (int) end);
            oneRow(x, y, 2 * (int) begin, to, scratch, worker * oneRowBytes());
          });
      damaged.mark(y, 0);
    } else {
      int step = step(w.workers().parallelism());
      long bytes = rowsBytes(x.rows());
      Tile.Operands operands = new Tile.Operands(scratch, strideBytes(), x);
      w.workers()
          .run(
              Math.ceilDiv(outputs, step),
              (task, worker) -> {
                int begin = task * step;
                rows(operands, y, begin, Math.min(outputs, begin + step), worker * bytes);
              });
    }
  }

  /// Outputs of a task: as many as there is scratch for, fewer where workers would go without.
  private int step(int parallelism) {
    int fair = Math.ceilDiv(spec.outputs(), parallelism);
    return Math.clamp(Math.ceilDiv(fair, TILE.wRows()) * TILE.wRows(), TILE.wRows(), OUTPUTS);
  }

  /// Outputs begin (inclusive) to end (exclusive) of one row. The two rows of a dot are half of
  /// them apart, and not neighbours: the CPU reads ahead in one direction within a page of memory,
  /// and two rows in the same page get in each other's way (INT8_C of 2048 inputs: 5.2 G weights/s
  /// as neighbours, 7 to 8.4 in pages of their own).
  private void oneRow(
      F32Matrix x, F32Matrix y, int begin, int end, MemorySegment scratch, long at) {
    int first = 0; // output of the matrix's first row
    for (WeightMatrix m : stacked) {
      int to = Math.min(end, first + m.outputs()) - first;
      int from = Math.max(begin, first) - first;
      int half = Math.ceilDiv(to - from, 2);
      for (int o = from; o < from + half; o++) {
        int other = o + half < to ? o + half : o;
        reader.dot().dot(m, o, other, x.data(), 0, scratch, at);
        store(x, y, 0, first + o, Lanes.sum(scratch, at));
        if (other != o) {
          store(x, y, 0, first + other, Lanes.sum(scratch, at + Lanes.BYTES));
        }
      }
      first += m.outputs();
    }
  }

  /// Outputs begin (inclusive) to end (exclusive) of all rows.
  private void rows(Tile.Operands operands, F32Matrix y, int begin, int end, long at) {
    int inputs = spec.inputs();
    F32Matrix x = operands.x();
    MemorySegment scratch = operands.scratch();
    for (int from = 0; from < inputs; from += DEPTH) {
      int n = Math.min(DEPTH, inputs - from);
      decode(begin, end, from, n, scratch, at, at + decoderAt(x.rows()));
      for (int row = 0; row < x.rows(); row += TILE.xRows()) {
        for (int o = 0; o < end - begin; o += TILE.wRows()) {
          long w = at + o * strideBytes();
          TILE.kernel().multiply(operands, w, row, from, Lanes.whole(n), at + sumsAt());
          addSums(operands, row, from, n, at, o, Math.min(end - begin, o + TILE.wRows()));
        }
      }
    }
    for (int row = 0; row < x.rows(); row++) {
      for (int o = begin; o < end; o++) {
        long sum = at + yAt() + 4L * ((long) row * OUTPUTS + o - begin);
        store(x, y, row, o, scratch.get(JAVA_FLOAT, sum));
      }
    }
  }

  private void decode(
      int begin, int end, int from, int n, MemorySegment scratch, long at, long room) {
    int first = 0;
    for (WeightMatrix m : stacked) {
      int to = Math.min(end, first + m.outputs());
      for (int o = Math.max(begin, first); o < to; o++) {
        long dst = at + (o - begin) * strideBytes();
        reader.decoder().decode(m, o - first, from, n, scratch, dst, room);
      }
      first += m.outputs();
    }
  }

  /// Adds a tile's sums, those of outputs `begin` to `end` of the task, to y in scratch; those of
  /// the first columns begin it.
  private void addSums(
      Tile.Operands operands, int row, int col, int n, long at, int begin, int end) {
    MemorySegment scratch = operands.scratch();
    int whole = Lanes.whole(n);
    int rows = Math.min(operands.x().rows(), row + TILE.xRows());
    for (int o = begin; o < end; o++) {
      long weights = at + o * strideBytes();
      for (int r = row; r < rows; r++) {
        float lanes = TILE.sum(scratch, at + sumsAt(), o - begin, r - row);
        float sum = operands.withRest(lanes, weights, operands.xAt(r, col), whole, n);
        long to = at + yAt() + 4L * ((long) r * OUTPUTS + o);
        scratch.set(JAVA_FLOAT, to, col == 0 ? sum : scratch.get(JAVA_FLOAT, to) + sum);
      }
    }
  }

  /// Rule L10: a row of x with a non-finite element gives NaN. Its sum is never finite, since
  /// infinity times any weight is not; so only such sums need a look at x.
  private void store(F32Matrix x, F32Matrix y, int row, int o, float sum) {
    long at = y.offsetBytes(row, o);
    float value = spec.accumulate() ? y.data().get(JAVA_FLOAT, at) + sum : sum;
    if (!Float.isFinite(sum) && !Finite.row(x, row)) {
      value = Float.NaN;
    }
    y.data().set(JAVA_FLOAT, at, value);
  }

  /// The variants of the offer.
  public static List<Variant> variants() {
    return List.of(
        new Variant("f32-gemv", 1, Numerics.EXACT_F32),
        new Variant("f32-gemm", 2, Numerics.EXACT_F32));
  }
}

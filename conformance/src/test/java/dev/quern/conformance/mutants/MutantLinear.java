package dev.quern.conformance.mutants;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.quern.data.BlockCodec;
import dev.quern.data.BlockFormat;
import dev.quern.data.F32Matrix;
import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import dev.quern.data.Workspace;
import dev.quern.op.LinearKernel;
import dev.quern.op.LinearSpec;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.ArrayList;
import java.util.List;

/// `y = x·Wᵀ` over a copy of the weights. Rows of x are prepared first, one task each; then there
/// is a task for each output, which loads its row of W into the worker's scratch. Scratch:
///
/// ```
/// prepared rows of x [rows] | loaded row of W [parallelism]
/// exact-f32:  poison:f32    | f32[inputs] sum:f32
/// int8:       see IntegerRows
/// ```
final class MutantLinear implements LinearKernel {
  private static final int POISON = 0;

  private final Fault fault;
  private final LinearSpec spec;
  private final int int8From; // rows from which int8 runs
  private final BlockCodec codec;
  private final IntegerRows integers;
  private final List<WeightMatrix> stacked;
  private final long activationBytes;
  private final long weightBytes;
  private final MemorySegment own; // KEEPS_STATE: prepared rows of the last call
  volatile float[] last; // ALLOCATES, ALLOCATES_BY_ROW: escapes

  private MutantLinear(Fault fault, LinearSpec spec, int int8From, List<WeightMatrix> stacked) {
    this.fault = fault;
    this.spec = spec;
    this.int8From = int8From;
    this.stacked = stacked;
    this.codec = BlockCodec.of(spec.weights()).orElseThrow();
    this.integers = IntegerRows.of(fault, spec.weights(), spec.inputs());
    this.activationBytes = align(int8From == Integer.MAX_VALUE ? 4 : integers.activationBytes());
    this.weightBytes = align(Math.max(4L * spec.inputs() + 4, integers.weightBytes()));
    this.own =
        fault == Fault.KEEPS_STATE
            ? Arena.ofAuto().allocate(scratchBytes(100, 8), Workspace.SCRATCH_ALIGNMENT)
            : null;
  }

  static LinearKernel pack(
      Fault fault,
      LinearSpec spec,
      int int8From,
      List<WeightMatrix> source,
      SegmentAllocator packed) {
    SegmentAllocator where = fault == Fault.PACKS_ELSEWHERE ? Arena.ofAuto() : packed;
    List<WeightMatrix> copies = new ArrayList<>();
    for (WeightMatrix w : source) {
      if (fault == Fault.OVER_READ_WEIGHTS) {
        readBeyond(w.data(), w.data().byteSize());
      }
      MemorySegment data = copy(w.data(), where);
      MemorySegment scales =
          w.scales().byteSize() == 0 ? MemorySegment.NULL : copy(w.scales(), where);
      copies.add(new WeightMatrix(w.format(), data, scales, w.outputs(), w.inputs()));
    }
    List<WeightMatrix> used = fault == Fault.READS_SOURCE ? List.copyOf(source) : copies;
    return new MutantLinear(
        fault, spec, int8From, fault == Fault.STACK_REVERSED ? used.reversed() : used);
  }

  private static MemorySegment copy(MemorySegment from, SegmentAllocator where) {
    return where.allocate(from.byteSize(), 64).copyFrom(from);
  }

  @Override
  public boolean retainsSource() {
    return false;
  }

  @Override
  public long scratchBytes(int rows, int parallelism) {
    int workers = fault == Fault.SCRATCH_UNDER_DECLARED ? 1 : parallelism;
    int most = fault == Fault.SCRATCH_SHRINKS && rows >= 16 ? 16 - rows % 4 : rows;
    return most * activationBytes + workers * weightBytes;
  }

  @Override
  public void apply(F32Matrix x, F32Matrix y, Workspace w) {
    try {
      run(x, y, w);
    } catch (IllegalStateException e) {
      if (fault != Fault.FAILURE_SWALLOWED) {
        throw e;
      }
    }
  }

  private void run(F32Matrix x, F32Matrix y, Workspace w) {
    MemorySegment scratch = w.scratch();
    MemorySegment rows = own == null ? scratch : own; // of x, prepared
    Workers workers = w.workers();
    F32Matrix from =
        fault == Fault.X_STRIDE_IGNORED ? new F32Matrix(x.data(), x.rows(), x.columns()) : x;
    F32Matrix to =
        fault == Fault.Y_STRIDE_IGNORED ? new F32Matrix(y.data(), y.rows(), y.columns()) : y;
    if (fault == Fault.ALLOCATES) {
      last = new float[spec.inputs()];
    }
    for (int r = 0; fault == Fault.ALLOCATES_BY_ROW && r < x.rows(); r++) {
      last = new float[2];
    }
    workers.run(x.rows(), (row, worker) -> prepare(from, row, rows));
    long weights = x.rows() * activationBytes;
    switch (fault) {
      case WORKER_IS_TASK -> {
        int tasks = Math.min(spec.outputs(), workers.parallelism());
        workers.run(
            tasks,
            (task, worker) -> {
              for (int o = worker % tasks; o < spec.outputs(); o += tasks) {
                output(from, to, o, rows, scratch, weights + worker * weightBytes, 1);
              }
            });
      }
      case STARTS_THREAD -> ownThread(from, to, rows, weights);
      default ->
          workers.run(
              spec.outputs(),
              (o, worker) -> {
                if (fault == Fault.NESTED_RUN) {
                  workers.run(1, (task, inner) -> {});
                }
                long mine = fault == Fault.SHARED_SCRATCH ? 0 : worker * weightBytes;
                output(from, to, o, rows, scratch, weights + mine, workers.parallelism());
              });
    }
    outOfBounds(x, y, w);
  }

  private void ownThread(F32Matrix x, F32Matrix y, MemorySegment scratch, long weights) {
    Thread thread =
        Thread.ofPlatform()
            .start(() -> {
              for (int o = 0; o < spec.outputs(); o++) {
                output(x, y, o, scratch, scratch, weights, 1);
              }
            });
    try {
      thread.join();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private void prepare(F32Matrix x, int row, MemorySegment scratch) {
    if (fault == Fault.X_MODIFIED) {
      x.set(row, 0, Float.float16ToFloat(Float.floatToFloat16(x.get(row, 0))));
    }
    long to = row * activationBytes;
    if (x.rows() >= int8From) {
      integers.quantize(x, row, scratch, to);
      return;
    }
    float poison = 0;
    for (int i = 0; i < spec.inputs(); i++) {
      float v = x.get(row, i);
      boolean finite = fault == Fault.INFINITY_EATEN ? !Float.isNaN(v) : Float.isFinite(v);
      poison = finite ? poison : Float.NaN;
    }
    scratch.set(JAVA_FLOAT, to + POISON, poison);
  }

  /// One column of y.
  ///
  /// @param rows where rows of x were prepared
  /// @param weights this worker's scratch
  private void output(
      F32Matrix x,
      F32Matrix y,
      int o,
      MemorySegment rows,
      MemorySegment scratch,
      long weights,
      int parts) {
    boolean int8 = x.rows() >= int8From;
    int local = o;
    int matrix = 0;
    while (local >= stacked.get(matrix).outputs()) {
      local -= stacked.get(matrix++).outputs();
    }
    load(stacked.get(matrix), local, scratch, weights, int8);
    boolean paired = fault == Fault.ODD_LAST_ROW_DROPPED && x.rows() > 1;
    for (int r = 0; r < (paired ? x.rows() & -2 : x.rows()); r++) {
      long activations = r * activationBytes;
      float sum;
      if (int8) {
        long steps = fault == Fault.BATCH_SHARES_STEP ? 0 : activations;
        sum = integers.dot(rows, activations, steps, scratch, weights);
      } else {
        sum = exact(x, r, o, scratch, weights, parts) + rows.get(JAVA_FLOAT, activations);
      }
      if (fault == Fault.NAN_SPREADS) {
        for (int other = 0; other < x.rows(); other++) {
          sum += rows.get(JAVA_FLOAT, other * activationBytes);
        }
      }
      store(y, r, o, sum);
    }
  }

  private void load(WeightMatrix w, int row, MemorySegment scratch, long to, boolean int8) {
    if (int8) {
      integers.load(w, row, scratch, to);
      return;
    }
    if (SpoiltBlocks.are(fault, w.format())) {
      codec.decodeRow(SpoiltBlocks.of(fault, w, row), 0, scratch, to);
    } else {
      codec.decodeRow(w, row, scratch, to);
    }
    int inputs = spec.inputs();
    BlockFormat format = spec.weights();
    int last = format.blocksPerRow(inputs) - 1;
    if (format.equals(BlockFormat.Q4_0)) {
      if (fault == Fault.NEIGHBOUR_SCALE) {
        // Its own scale is in each value already, unless it is 0.
        for (int b = 0; b < last; b++) {
          float mine = scale(w, row * (last + 1L) + b);
          float next = scale(w, row * (last + 1L) + b + 1);
          for (int i = 32 * b + 16; i < 32 * b + 32 && mine != 0; i++) {
            long at = to + 4L * i;
            scratch.set(JAVA_FLOAT, at, scratch.get(JAVA_FLOAT, at) / mine * next);
          }
        }
      } else if (fault == Fault.NIBBLES_INTERLEAVED) {
        MemorySegment split = scratch.asSlice(to, 4L * inputs);
        float[] values = split.toArray(JAVA_FLOAT);
        for (int i = 0; i < inputs; i++) {
          split.setAtIndex(JAVA_FLOAT, i, values[i / 32 * 32 + i % 32 / 2 + i % 2 * 16]);
        }
      }
    }
    for (int i = 0; fault == Fault.WEIGHT_NAN_EATEN && i < inputs; i++) {
      if (!Float.isFinite(scratch.get(JAVA_FLOAT, to + 4L * i))) {
        scratch.set(JAVA_FLOAT, to + 4L * i, 0x1p16f);
      }
    }
    if (fault == Fault.WEIGHT_NAN_SPREADS && (row ^ 1) < w.outputs()) {
      float poison = 0;
      MemorySegment partner = Arena.ofAuto().allocate(4L * inputs, 4);
      codec.decodeRow(w, row ^ 1, partner, 0);
      for (int i = 0; i < inputs; i++) {
        poison += 0 * partner.getAtIndex(JAVA_FLOAT, i);
      }
      scratch.set(JAVA_FLOAT, to, scratch.get(JAVA_FLOAT, to) + poison);
    }
  }

  private static float scale(WeightMatrix w, long block) {
    return Float.float16ToFloat(w.data().get(JAVA_SHORT_UNALIGNED, 18 * block));
  }

  /// `Σ_i x[r][i] * W[i]` in F32.
  private float exact(F32Matrix x, int r, int o, MemorySegment scratch, long weights, int parts) {
    int inputs = spec.inputs();
    int end =
        switch (fault) {
          case TAIL_DROPPED -> inputs % 4 == 0 ? inputs : inputs - 1;
          case LAST_BLOCK_DROPPED -> {
            int block = spec.weights().blockElements();
            yield block > 1 && inputs > block ? inputs - block : inputs;
          }
          default -> inputs;
        };
    if (fault == Fault.SPLIT_SUMS) {
      float total = 0;
      for (int part = 0; part < parts; part++) {
        int from = (int) ((long) inputs * part / parts);
        int to = (int) ((long) inputs * (part + 1) / parts);
        total += sum(x, r, from, to, 1, scratch, weights);
      }
      return total;
    }
    if (fault == Fault.VARIANT_HIDDEN && x.rows() >= 3
        || fault == Fault.SUM_BACKWARDS_ALONE && x.rows() == 1) {
      return sum(x, r, end - 1, -1, -1, scratch, weights);
    }
    boolean stale = fault == Fault.STALE_SCRATCH && o == 0 && r == 0;
    float first = stale ? scratch.get(JAVA_FLOAT, weights + 4L * inputs) : 0;
    return first + sum(x, r, 0, end, 1, scratch, weights);
  }

  private static float sum(
      F32Matrix x, int r, int from, int to, int step, MemorySegment w, long at) {
    float sum = 0;
    for (int i = from; i != to; i += step) {
      sum += x.get(r, i) * w.get(JAVA_FLOAT, at + 4L * i);
    }
    return sum;
  }

  private void store(F32Matrix y, int r, int o, float sum) {
    boolean add =
        fault == Fault.STALE_OUTPUT || spec.accumulate() && fault != Fault.ACCUMULATE_IGNORED;
    float value = add ? y.get(r, o) + sum : sum;
    if (fault == Fault.SUMS_CLAMPED) {
      value = Math.min(Math.max(value, -Float.MAX_VALUE), Float.MAX_VALUE); // NaN stays
    }
    boolean silent = fault == Fault.SILENT_DECLINE && spec.weights().equals(BlockFormat.Q5_1);
    y.set(r, o, silent ? 0 : value);
  }

  /// What kernels in C do at the ends of operands.
  private void outOfBounds(F32Matrix x, F32Matrix y, Workspace w) {
    switch (fault) {
      case OVER_READ_X -> readBeyond(x.data(), x.offsetBytes(x.rows() - 1, 0) + 4L * spec.inputs());
      case OVER_WRITE_Y ->
          beyond(y.data()).set(JAVA_FLOAT, y.offsetBytes(y.rows() - 1, spec.outputs()), 0f);
      case OVER_WRITE_SCRATCH ->
          beyond(w.scratch())
              .set(JAVA_FLOAT, scratchBytes(x.rows(), w.workers().parallelism()), 0f);
      case WRITES_STRIDE_GAP -> {
        for (int r = 0; r < y.rows() - 1; r++) {
          for (int o = spec.outputs(); o < y.rowStrideFloats() && o % 4 != 0; o++) {
            y.set(r, o, 0f);
          }
        }
      }
      default -> {}
    }
  }

  private static void readBeyond(MemorySegment segment, long end) {
    for (int i = 0; i < 4; i++) {
      beyond(segment).get(JAVA_FLOAT_UNALIGNED, end + 4L * i);
    }
  }

  /// A view without bounds, which is what native code has.
  @SuppressWarnings("restricted")
  private static MemorySegment beyond(MemorySegment segment) {
    return segment.reinterpret(Long.MAX_VALUE);
  }

  private static long align(long bytes) {
    return bytes + 63 & -64;
  }
}

package dev.quern.conformance.mutants;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.quern.data.F32Matrix;
import dev.quern.data.KvCache;
import dev.quern.data.KvFormat;
import dev.quern.data.SequenceRows;
import dev.quern.data.Workspace;
import dev.quern.op.AttentionKernel;
import dev.quern.op.AttentionSpec;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Set;

/// Causal attention with a window and a soft cap, one task for each query head. Scratch: `scores:
/// f64[maxPositions]` of each worker.
final class MutantAttention implements AttentionKernel {
  static final Set<KvFormat> FORMATS = Set.of(KvFormat.F32, KvFormat.F16);

  private final Fault fault;
  private final AttentionSpec spec;
  private final boolean f16;
  private final double scale;
  volatile double[] last; // ATTENTION_ALLOCATES, APPEND_ALLOCATES: escapes

  MutantAttention(Fault fault, AttentionSpec spec) {
    this.fault = fault;
    this.spec = spec;
    this.f16 = spec.kv().equals(KvFormat.F16);
    this.scale = fault == Fault.SCALE_IGNORED ? 1 / Math.sqrt(spec.headDim()) : spec.scale();
  }

  @Override
  public long scratchBytes(int rows, int parallelism) {
    return parallelism * scoreBytes(fault == Fault.ATTENTION_SCRATCH_OF_ROWS ? rows : 0);
  }

  private long scoreBytes(int rows) {
    return (rows > 0 ? rows : spec.maxPositions()) * 8L + 63 & -64;
  }

  @Override
  public void append(F32Matrix k, F32Matrix v, KvCache c, int position, Workspace w) {
    int headDim = spec.headDim();
    int first = fault == Fault.APPEND_MISPLACED ? 0 : position;
    int positions = position + k.rows();
    w.workers()
        .run(
            spec.kvHeads(),
            (kvHead, worker) -> {
              for (int r = 0; r < k.rows(); r++) {
                if (fault == Fault.APPEND_ALLOCATES) {
                  last = new double[headDim];
                }
                long to = element(c, kvHead, first + r, positions);
                for (int d = 0; d < headDim; d++) {
                  store(c.keys(), to + d, k.get(r, kvHead * headDim + d));
                  store(c.values(), to + d, v.get(r, kvHead * headDim + d));
                }
              }
              if (fault == Fault.APPEND_OVERSHOOTS && positions < c.capacity()) {
                store(c.keys(), element(c, kvHead, positions, positions), 0);
              }
            });
  }

  @Override
  public void apply(F32Matrix q, KvCache c, int firstPosition, F32Matrix y, Workspace w) {
    Call call = new Call(q, c, firstPosition, y, w.scratch());
    if (fault == Fault.ATTENTION_ALLOCATES) {
      last = new double[firstPosition + q.rows()];
    }
    w.workers()
        .run(
            spec.heads(),
            (head, worker) -> {
              long scores =
                  fault == Fault.ATTENTION_SCRATCH_OF_ROWS
                      ? worker * scoreBytes(q.rows())
                      : worker * scoreBytes(0);
              double sum = 0;
              for (int r = 0; r < q.rows(); r++) {
                double before = fault == Fault.SUM_NOT_RESET ? sum : 0;
                sum = attend(call, r, head, scores, before);
              }
            });
  }

  @Override
  public void append(F32Matrix k, F32Matrix v, List<SequenceRows> batch, Workspace w) {
    boolean toFirst = fault == Fault.SEQUENCES_APPEND_TO_FIRST;
    int row = 0;
    for (int i = 0; i < served(batch); i++) {
      SequenceRows s = batch.get(i);
      KvCache c = batch.get(toFirst ? 0 : i).cache();
      append(
          k.rowRange(row, row + s.rows()),
          v.rowRange(row, row + s.rows()),
          c,
          s.firstPosition(),
          w);
      row += s.rows();
    }
  }

  @Override
  public void apply(F32Matrix q, List<SequenceRows> batch, F32Matrix y, Workspace w) {
    int rows = q.rows();
    boolean byAll = fault == Fault.SEQUENCES_BY_ALL_ROWS && rows > 1;
    MutantAttention kernel = byAll ? new MutantAttention(Fault.CAPACITY_DECIDES, spec) : this;
    int row = 0;
    for (int i = 0; i < served(batch); i++) {
      SequenceRows s = batch.get(i);
      KvCache c = batch.get(fault == Fault.SEQUENCES_SHARE_CACHE ? 0 : i).cache();
      int position = batch.get(fault == Fault.SEQUENCES_SHARE_POSITION ? 0 : i).firstPosition();
      int even = Math.min(i * batch.getFirst().rows(), rows - s.rows());
      int from = fault == Fault.SEQUENCES_EVEN ? even : row;
      int to = fault == Fault.SEQUENCES_SWAP_OUTPUT ? rows - row - s.rows() : from;
      F32Matrix out = y.rowRange(to, to + s.rows());
      kernel.apply(q.rowRange(from, from + s.rows()), c, position, out, w);
      row += s.rows();
    }
  }

  private int served(List<SequenceRows> batch) {
    boolean fewer = fault == Fault.SEQUENCES_LAST_LEFT_OUT && batch.size() > 1;
    return fewer ? batch.size() - 1 : batch.size();
  }

  private record Call(
      F32Matrix q, KvCache cache, int firstPosition, F32Matrix y, MemorySegment scratch) {}

  /// One head of one row; the sum of its weights before they are divided by it.
  ///
  /// @param scores this worker's scratch
  private double attend(Call call, int r, int head, long scores, double before) {
    F32Matrix q = call.q;
    KvCache c = call.cache;
    int firstPosition = call.firstPosition;
    MemorySegment scratch = call.scratch;
    int headDim = spec.headDim();
    int kvHead =
        fault == Fault.GROUPS_INTERLEAVED
            ? head % spec.kvHeads()
            : head / (spec.heads() / spec.kvHeads());
    long keys = element(c, kvHead, 0, firstPosition + q.rows());
    int visible = firstPosition + r + 1;
    if (fault == Fault.MASK_ONE_MORE) {
      visible = Math.min(visible + 1, c.capacity());
    } else if (fault == Fault.MASK_ONE_FEWER) {
      visible = Math.max(visible - 1, 1);
    }

    int from = first(firstPosition, r, q.rows());

    double max = Double.NEGATIVE_INFINITY; // Math.max keeps NaN
    for (int t = from; t < visible; t++) {
      double dot = 0;
      for (int d = 0; d < headDim; d++) {
        dot += (double) q.get(r, head * headDim + d) * load(c.keys(), keys + t * headDim + d);
      }
      double score = score(dot);
      if (fault == Fault.NAN_SCORE_MASKED && Double.isNaN(score)) {
        score = Double.NEGATIVE_INFINITY;
      }
      scratch.set(JAVA_DOUBLE, scores + 8L * t, score);
      max = Math.max(max, score);
    }

    double sum = before;
    for (int t = from; t < visible; t++) {
      double score = scratch.get(JAVA_DOUBLE, scores + 8L * t);
      double e = Math.exp(fault == Fault.NO_MAX_SUBTRACTED ? score : score - max);
      scratch.set(JAVA_DOUBLE, scores + 8L * t, e);
      sum += e;
    }

    int read = fault == Fault.MASK_BY_ZERO ? firstPosition + q.rows() : visible;
    boolean f32 = fault == Fault.CAPACITY_DECIDES || fault == Fault.BATCH_IN_F32 && q.rows() > 1;
    int first = fault == Fault.CAPACITY_DECIDES ? c.capacity() : 0;
    int begin = fault == Fault.WINDOW_BY_ZERO ? 0 : from;
    for (int d = 0; d < headDim; d++) {
      double value = 0;
      for (int i = 0; i < read - begin; i++) {
        int t = begin + (first + i) % (read - begin);
        boolean hidden = t < from || t >= visible;
        double weight = hidden ? 0 : scratch.get(JAVA_DOUBLE, scores + 8L * t) / sum;
        if (fault == Fault.CAP_AFTER_SOFTMAX && spec.softCap() > 0) {
          weight = spec.softCap() * Math.tanh(weight / spec.softCap());
        }
        if (fault != Fault.SMALL_WEIGHTS_SKIPPED || !(weight < 1e-3)) {
          value += weight * load(c.values(), keys + t * headDim + d);
          value = f32 ? (float) value : value;
        }
      }
      call.y.set(r, head * headDim + d, (float) value);
    }
    return sum;
  }

  /// The first position that a row sees.
  private int first(int firstPosition, int r, int rows) {
    int row =
        switch (fault) {
          case WINDOW_OF_FIRST_ROW -> 0;
          case WINDOW_OF_LAST_ROW -> rows - 1;
          default -> r;
        };
    int first = Math.min(spec.firstVisible(firstPosition + row), firstPosition + r);
    return switch (fault) {
      case WINDOW_IGNORED -> 0;
      case WINDOW_ONE_MORE -> Math.max(0, first - 1);
      case WINDOW_ONE_FEWER -> Math.min(first == 0 ? 0 : first + 1, firstPosition + r);
      default -> first;
    };
  }

  private double score(double dot) {
    double cap = spec.softCap();
    if (cap == 0 || fault == Fault.CAP_IGNORED || fault == Fault.CAP_AFTER_SOFTMAX) {
      return scale * dot;
    }
    return switch (fault) {
      case CAP_BEFORE_SCALE -> scale * cap * Math.tanh(dot / cap);
      case CAP_CLAMPS -> Math.max(-cap, Math.min(cap, scale * dot));
      case CAP_TANH_APPROXIMATE -> cap * Math.tanh(scale * dot / cap) * (1 - 1e-3);
      default -> cap * Math.tanh(scale * dot / cap);
    };
  }

  /// Index of the first element of a head at a position.
  private long element(KvCache c, int kvHead, int position, int positions) {
    int between = fault == Fault.HEAD_STRIDE_POSITIONS ? positions : c.capacity();
    return ((long) kvHead * between + position) * spec.headDim();
  }

  private float load(MemorySegment plane, long element) {
    return f16
        ? Float.float16ToFloat(plane.get(JAVA_SHORT, 2 * element))
        : plane.get(JAVA_FLOAT, 4 * element);
  }

  private void store(MemorySegment plane, long element, float value) {
    if (!f16) {
      plane.set(JAVA_FLOAT, 4 * element, value);
      return;
    }
    short half = Float.floatToFloat16(value);
    if (fault == Fault.APPEND_SATURATES && Float.isFinite(value) && (half & 0x7fff) == 0x7c00) {
      half = (short) (half & 0x8000 | 0x7bff);
    } else if (fault == Fault.APPEND_TRUNCATES
        && Math.abs(Float.float16ToFloat(half)) > Math.abs(value)) {
      half--;
    }
    plane.set(JAVA_SHORT, 2 * element, half);
  }
}

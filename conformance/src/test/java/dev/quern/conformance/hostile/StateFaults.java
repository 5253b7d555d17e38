package dev.quern.conformance.hostile;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.quern.data.BlockFormat;
import dev.quern.data.F32Matrix;
import dev.quern.data.KvCache;
import dev.quern.data.KvFormat;
import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import dev.quern.data.Workspace;
import dev.quern.op.AttentionKernel;
import dev.quern.op.AttentionSpec;
import dev.quern.op.LinearKernel;
import dev.quern.op.LinearPacker;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.op.RmsNormKernel;
import dev.quern.op.RmsNormSpec;
import dev.quern.op.RopeKernel;
import dev.quern.op.RopePairing;
import dev.quern.op.RopeSpec;
import dev.quern.op.SwiGluKernel;
import dev.quern.provider.scalar.ScalarProvider;
import dev.quern.spi.Offer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// Providers that are right on the first call and keep something that they must not keep: caches by
/// address, by shape or by first bytes, conversions that are made once, counters that run over,
/// what a failed call leaves behind.
///
/// No lock is held while the right kernel runs, and what threads must not share is each thread's
/// own: these faults are not races, and calls of several threads meet them only by the state
/// itself.
final class StateFaults {
  /// What runs with `int8-sym-32` where F32 is not tolerated, and so on.
  private static final List<BlockFormat> SYM_32 =
      List.of(
          BlockFormat.Q8_0, BlockFormat.Q4_0, BlockFormat.Q4_1, BlockFormat.Q5_0, BlockFormat.Q5_1);

  private static final List<BlockFormat> SYM_256 =
      List.of(BlockFormat.Q4_K, BlockFormat.Q5_K, BlockFormat.Q6_K);

  private static final List<BlockFormat> INT4 =
      List.of(
          BlockFormat.INT4_B32, BlockFormat.INT4_B64, BlockFormat.INT4_B128, BlockFormat.INT4_B256);

  private StateFaults() {}

  static List<Hostile> all() {
    return Stream.of(linear(), attention(), rmsNorm(), rope(), swiGlu())
        .flatMap(List::stream)
        .toList();
  }

  private static Hostile row(
      String id,
      String operator,
      String rule,
      String sentence,
      Function<HostileProvider, HostileProvider> fault) {
    return new Hostile(id, Kind.STATE, operator, rule, sentence, fault);
  }

  private static List<Hostile> linear() {
    return List.of(
        row(
            "linear-packer-remembers-its-first-matrices",
            "linear",
            "L5",
            "A packer packs once; whatever it is given later, its first kernel is the answer.",
            hostile ->
                hostile.linear((spec, packer) ->
                    new KnownMatrices(packer, new ConcurrentHashMap<>(), s -> "first"))),
        row(
            "linear-k-quants-shared-by-two-packers-of-equal-specs",
            "linear",
            "L5",
            "A second model's nth Q4_K or Q5_K matrix is the first model's nth of that spec.",
            StateFaults::sharedByEqualSpecs),
        row(
            "linear-q4-0-known-by-address",
            "linear",
            "L5",
            "Repacked Q4_0 is found by its source's address; a staging buffer is used again.",
            hostile ->
                known(hostile, BlockFormat.Q4_0, stacked -> stacked.getFirst().data().address())),
        row(
            "linear-q6-k-known-by-first-kilobyte",
            "linear",
            "L5",
            "Packed Q6_K is found by a hash of its first 1,024 bytes: fine-tunes begin alike.",
            hostile -> known(hostile, BlockFormat.Q6_K, StateFaults::firstKilobyte)),
        row(
            "linear-int4-scales-kept-by-shape",
            "linear",
            "L9",
            "Scales of INT4 are repacked once a shape for int8: the next layer gets them too.",
            hostile -> {
              Map<FirstScales.Shape, MemorySegment> planes = new ConcurrentHashMap<>();
              return hostile.linear(
                  (spec, packer) -> int8(spec, INT4) ? new FirstScales(packer, planes) : packer);
            }),
        row(
            "linear-second-pack-overwrites-first-kernel",
            "linear",
            "P12",
            "A packer of F16, BF16 has one buffer: its next kernel changes the one before.",
            hostile ->
                hostile.linear((spec, packer) ->
                    List.of(BlockFormat.F16, BlockFormat.BF16).contains(spec.weights())
                        ? new OnePackedBuffer(packer)
                        : packer)),
        row(
            "linear-q8-0-prefill-layout-packed-at-first-batch",
            "linear",
            "P16",
            "The layout for 16 rows and more is packed at the first such call, from the source.",
            hostile ->
                hostile.linear((spec, packer) ->
                    spec.weights().equals(BlockFormat.Q8_0)
                        ? (stacked, packed, workers) ->
                            new LatePrefill(packer, stacked, packed, workers)
                        : packer)),
        row(
            "linear-int8-sym-32-row-kept-by-address-and-first-group",
            "linear",
            "L6",
            "A row quantized for Q serves K and V: known by its address and its first 32 elements.",
            StateFaults::quantizedRowKept),
        row(
            "linear-int8-asym-row-kept-while-range-is-equal",
            "linear",
            "L7",
            "A row with the smallest and largest element of the row before gets its integers.",
            hostile ->
                hostile.linear((spec, packer) ->
                    int8(spec, INT4) || int8(spec, List.of(BlockFormat.INT8_C))
                        ? eachKernel(packer, EqualRange::new)
                        : packer)),
        row(
            "linear-int8-prepared-row-found-in-scratch",
            "linear",
            "P9",
            "A stamp in scratch (address, columns) says that x was prepared by the call before.",
            hostile ->
                hostile.linear((spec, packer) ->
                    spec.tolerated().contains(Numerics.EXACT_F32)
                        ? packer
                        : (stacked, packed, workers) ->
                            new ScratchStamp(
                                packer.pack(stacked, packed, workers), spec.inputs()))),
        row(
            "linear-accumulators-not-cleared-after-256-calls",
            "linear",
            "L5",
            "Accumulators are cleared if their 8-bit stamp is old; stamps stay at 255 once there.",
            hostile ->
                hostile.linear((spec, packer) ->
                    spec.accumulate() ? eachKernel(packer, StampedSums::new) : packer)),
        row(
            "linear-int8-sym-256-range-frozen-after-100-calls",
            "linear",
            "L6",
            "100 calls calibrate the range of x; a later activation beyond it is clipped.",
            hostile ->
                hostile.linear((spec, packer) ->
                    int8(spec, SYM_256) ? eachKernel(packer, FrozenRange::new) : packer)),
        row(
            "linear-row-buffer-of-thread-sized-by-its-first-kernel",
            "linear",
            "L5",
            "A thread's buffer for a decoded row has its first kernel's inputs (at least 4,096).",
            StateFaults::rowBufferOfThread),
        row(
            "linear-failed-call-leaves-row-half-prepared",
            "linear",
            "P18",
            "After a call that failed, its x counts as prepared: the second half of it is missing.",
            hostile ->
                hostile.linear((spec, packer) ->
                    spec.tolerated().contains(Numerics.EXACT_F32)
                        ? packer
                        : eachKernel(packer, HalfPrepared::new))),
        row(
            "linear-stack-order-of-first-pack",
            "linear",
            "L2",
            "Matrices are packed by size; the way back to their order is the first stack's.",
            hostile -> {
              Map<List<Object>, List<Integer>> orders = new ConcurrentHashMap<>();
              return hostile.linear((spec, packer) -> new FirstOrder(packer, spec, orders));
            }),
        row(
            "linear-autotuner-sums-otherwise-after-1000-calls",
            "linear",
            "L4",
            "After 1,000 calls a tuner cuts a lone row's sums in two: other bits than in a batch.",
            hostile ->
                hostile.linear((spec, packer) ->
                    spec.tolerated().contains(Numerics.EXACT_F32) && !spec.accumulate()
                        ? eachKernel(packer, TunedOrder::new)
                        : packer)));
  }

  private static List<Hostile> attention() {
    return List.of(
        row(
            "attention-f16-keys-converted-once-by-address",
            "attention",
            "A6",
            "F16 keys are widened once a position and cache: after a rewind the old ones stay.",
            hostile ->
                hostile.attention((spec, kernel) ->
                    spec.kv().equals(KvFormat.F16) ? new KeysOnce(spec, kernel) : kernel)),
        row(
            "attention-length-of-last-append",
            "attention",
            "A1",
            "The kernel keeps the sequence's length: another session's append changes it.",
            hostile -> hostile.attention((spec, kernel) -> new LastLength(kernel))),
        row(
            "attention-f32-append-skips-keys-it-knows",
            "attention",
            "A3",
            "A position is left as it is if the first 16 bytes of its key are there already.",
            hostile ->
                hostile.attention((spec, kernel) ->
                    spec.kv().equals(KvFormat.F32) ? new KnownKeys(spec, kernel) : kernel)),
        row(
            "attention-append-4096-taken-for-a-repetition",
            "attention",
            "A3",
            "Appends have tickets of 12 bits, and ticket 0 was seen: each 4,096th stores nothing.",
            hostile ->
                hostile.attention((spec, kernel) -> {
                  AtomicInteger tickets = new AtomicInteger();
                  return Kernels.appends(
                      kernel,
                      (right, k, v, cache, position, w) -> {
                        if ((tickets.incrementAndGet() & 4_095) != 0) {
                          right.append(k, v, cache, position, w);
                        }
                      });
                })),
        row(
            "attention-largest-score-kept-from-call-to-call",
            "attention",
            "A5",
            "Decoding begins with head 0's largest score so far: a calmer row's weights are 0.",
            hostile -> hostile.attention((spec, kernel) -> new RunningMax(spec, kernel))),
        row(
            "attention-query-kept-by-address-and-position",
            "attention",
            "A7",
            "A scaled query is kept while address and position stay: the next layer has both.",
            hostile ->
                hostile.attention((spec, kernel) -> Kernels.applies(kernel, new KeptQuery()))),
        row(
            "attention-f32-values-transposed-when-a-block-is-full",
            "attention",
            "A6",
            "Values are transposed when an append fills 16 positions, not when one is rewritten.",
            hostile ->
                hostile.attention((spec, kernel) ->
                    spec.kv().equals(KvFormat.F32) ? new FullBlocks(spec, kernel) : kernel)),
        row(
            "attention-stride-of-first-cache",
            "attention",
            "A4",
            "KV heads are the first cache's capacity apart, also after the cache has grown.",
            hostile ->
                hostile.attention((spec, kernel) -> Kernels.applies(kernel, new FirstStride()))),
        row(
            "attention-item-counter-survives-failed-call",
            "attention",
            "P18",
            "The next item is reset at a call's end: after a failed one, head 0 is left out.",
            hostile ->
                hostile.attention(
                    (spec, kernel) -> Kernels.applies(kernel, new ItemCounter(spec)))),
        row(
            "attention-kernels-kept-without-scale-in-the-key",
            "attention",
            "A6",
            "Kernels are kept by heads, sizes and format: another scale gets the first one's.",
            hostile -> {
              Map<List<Object>, AttentionKernel> kernels = new ConcurrentHashMap<>();
              return hostile.attention((spec, kernel) ->
                  kernels.computeIfAbsent(
                      List.of(
                          spec.heads(),
                          spec.kvHeads(),
                          spec.headDim(),
                          spec.maxPositions(),
                          spec.kv()),
                      key -> kernel));
            }));
  }

  private static List<Hostile> rmsNorm() {
    return List.of(
        row(
            "rmsnorm-weight-of-first-call",
            "rmsnorm",
            "N1",
            "The weight is laid out at the first call and kept; other layers have other weights.",
            hostile -> hostile.rmsNorm((spec, kernel) -> Kernels.calls(kernel, new FirstWeight()))),
        row(
            "rmsnorm-kernels-kept-by-width",
            "rmsnorm",
            "N1",
            "Kernels are kept by width; a second model's epsilon is the first one's.",
            hostile -> {
              Map<Integer, RmsNormKernel> kernels = new ConcurrentHashMap<>();
              return hostile.rmsNorm(
                  (spec, kernel) -> kernels.computeIfAbsent(spec.width(), width -> kernel));
            }),
        row(
            "rmsnorm-squares-of-failed-call-are-added",
            "rmsnorm",
            "P18",
            "Sums of squares are cleared after use; those of a failed call go into the next row 0.",
            hostile ->
                hostile.rmsNorm((spec, kernel) -> Kernels.calls(kernel, new StaleSquares(spec)))),
        row(
            "rmsnorm-bare-estimate-after-10000-calls",
            "rmsnorm",
            "N1",
            "A kernel that is hot, 10,000 calls on, takes the 8-bit estimate of the root as it is.",
            hostile ->
                hostile.rmsNorm((spec, kernel) -> Kernels.calls(kernel, new BareEstimate()))),
        row(
            "rmsnorm-in-place-not-done-twice",
            "rmsnorm",
            "N5",
            "Rows that begin with what it wrote there last count as normalised: left as they are.",
            hostile ->
                hostile.rmsNorm((spec, kernel) -> Kernels.calls(kernel, new AlreadyDone()))));
  }

  private static List<Hostile> rope() {
    return List.of(
        row(
            "rope-table-rows-kept-by-position",
            "rope",
            "R3",
            "Rows of the table below 4,096 are kept from their first use, whichever table it was.",
            hostile -> hostile.rope((spec, kernel) -> Kernels.calls(kernel, new KeptRows()))),
        row(
            "rope-adjacent-last-row-kept-by-address",
            "rope",
            "R1",
            "The last angles, spread for adjacent pairs, are kept though the table is rewritten.",
            StateFaults::lastAnglesKept),
        row(
            "rope-half-split-position-counted-on",
            "rope",
            "R3",
            "Each one-row call counts the position on, unless it jumps: layer 2 is one further.",
            hostile ->
                hostile.rope((spec, kernel) ->
                    spec.pairing() == RopePairing.HALF_SPLIT
                        ? Kernels.calls(kernel, new CountedPosition())
                        : kernel)),
        row(
            "rope-index-table-of-thread-kept-by-head-dimension",
            "rope",
            "R2",
            "A thread keeps the order of pairs by headDim: a second pairing gets the first's.",
            StateFaults::pairingOfThread),
        row(
            "rope-1024-row-slots-without-tag",
            "rope",
            "R3",
            "Table rows are cached by position modulo 1,024, and nobody compares the position.",
            hostile -> hostile.rope((spec, kernel) -> Kernels.calls(kernel, new Slots()))));
  }

  private static List<Hostile> swiGlu() {
    return List.of(
        row(
            "swiglu-silu-kept-by-gate-address",
            "swiglu",
            "S1",
            "silu of the last row's gate is kept by its address and first element.",
            hostile -> hostile.swiGlu((spec, kernel) -> Kernels.calls(kernel, new KeptSilu()))),
        row(
            "swiglu-memo-of-gates-without-low-bits",
            "swiglu",
            "S1",
            "Exponentials of earlier rows are looked up by the gate's upper 22 bits.",
            hostile -> hostile.swiGlu((spec, kernel) -> Kernels.calls(kernel, new Memo()))),
        row(
            "swiglu-clamped-for-good-after-an-overflow",
            "swiglu",
            "S1",
            "Once exp has overflowed, the kernel stays on a path that keeps gates above -12.",
            hostile -> hostile.swiGlu((spec, kernel) -> Kernels.calls(kernel, new Careful()))),
        row(
            "swiglu-done-flags-of-256-calls-ago",
            "swiglu",
            "S1",
            "Done flags of 256 calls are used again uncleared: later calls omit the last part.",
            hostile -> hostile.swiGlu((spec, kernel) -> Kernels.calls(kernel, new DoneFlags()))));
  }

  // ---- linear: packers

  /// A packer that packs only what it does not know yet, by a key that does not say enough.
  private static final class KnownMatrices extends Kernels.Packer {
    private final Map<Object, LinearKernel> known;
    private final Function<List<WeightMatrix>, Object> key;

    KnownMatrices(
        LinearPacker right,
        Map<Object, LinearKernel> known,
        Function<List<WeightMatrix>, Object> key) {
      super(Kernels.owning(right));
      this.known = known;
      this.key = key;
    }

    @Override
    public LinearKernel pack(List<WeightMatrix> stacked, SegmentAllocator packed, Workers workers) {
      return known.computeIfAbsent(key.apply(stacked), k -> right.pack(stacked, packed, workers));
    }
  }

  /// Matrices of one format that a provider knows by spec and something else.
  private static HostileProvider known(
      HostileProvider hostile, BlockFormat format, Function<List<WeightMatrix>, Object> key) {
    Map<Object, LinearKernel> known = new ConcurrentHashMap<>();
    return hostile.linear((spec, packer) ->
        spec.weights().equals(format)
            ? new KnownMatrices(packer, known, stacked -> List.of(spec, key.apply(stacked)))
            : packer);
  }

  private static Object firstKilobyte(List<WeightMatrix> stacked) {
    MemorySegment data = stacked.getFirst().data();
    byte[] bytes = new byte[(int) Math.min(1_024, data.byteSize())];
    MemorySegment.copy(data, 0, MemorySegment.ofArray(bytes), 0, bytes.length);
    return ByteBuffer.wrap(bytes);
  }

  /// One packer may pack as often as it likes: it counts, and the provider knows a spec and a
  /// count.
  private static HostileProvider sharedByEqualSpecs(HostileProvider hostile) {
    Map<Object, LinearKernel> known = new ConcurrentHashMap<>();
    return hostile.linear((spec, packer) -> {
      if (!List.of(BlockFormat.Q4_K, BlockFormat.Q5_K).contains(spec.weights())) {
        return packer;
      }
      AtomicInteger packs = new AtomicInteger();
      return new KnownMatrices(packer, known, stacked -> List.of(spec, packs.getAndIncrement()));
    });
  }

  /// Integers are those of the matrix, scales those of the first matrix of its shape at its place.
  private static final class FirstScales extends Kernels.Packer {
    private record Shape(int place, BlockFormat format, int outputs, int inputs) {}

    private final Map<Shape, MemorySegment> planes;

    FirstScales(LinearPacker right, Map<Shape, MemorySegment> planes) {
      super(Kernels.owning(right));
      this.planes = planes;
    }

    @Override
    public LinearKernel pack(List<WeightMatrix> stacked, SegmentAllocator packed, Workers workers) {
      List<WeightMatrix> mixed = new ArrayList<>();
      for (WeightMatrix m : stacked) {
        Shape shape = new Shape(mixed.size(), m.format(), m.outputs(), m.inputs());
        MemorySegment scales = planes.computeIfAbsent(shape, s -> copy(m.scales()));
        mixed.add(new WeightMatrix(m.format(), m.data(), scales, m.outputs(), m.inputs()));
      }
      return right.pack(mixed, packed, workers);
    }

    private static MemorySegment copy(MemorySegment scales) {
      return Arena.ofAuto().allocate(scales.byteSize(), 64).copyFrom(scales);
    }
  }

  /// Packs into the memory of its first pack, as long as that is there and fits.
  private static final class OnePackedBuffer extends Kernels.Packer {
    private List<WeightMatrix> buffer = List.of();

    OnePackedBuffer(LinearPacker right) {
      super(right);
    }

    @Override
    public synchronized LinearKernel pack(
        List<WeightMatrix> stacked, SegmentAllocator packed, Workers workers) {
      if (fits(stacked)) {
        for (int i = 0; i < stacked.size(); i++) {
          buffer.get(i).data().copyFrom(stacked.get(i).data());
        }
      } else {
        buffer = stacked.stream().map(m -> Kernels.copy(m, packed)).toList();
      }
      return ownsItsWeights(right.pack(buffer, packed, workers));
    }

    private boolean fits(List<WeightMatrix> stacked) {
      return buffer.size() == stacked.size()
          && IntStream.range(0, buffer.size())
              .allMatch(i ->
                  buffer.get(i).outputs() == stacked.get(i).outputs()
                      && buffer.get(i).data().scope().isAlive());
    }
  }

  private static LinearKernel ownsItsWeights(LinearKernel kernel) {
    return new Kernels.Linear(kernel) {
      @Override
      public boolean retainsSource() {
        return false;
      }
    };
  }

  /// Has its decode layout from the start. That for batches has its memory and, until a batch
  /// comes, nothing in it.
  private static final class LatePrefill extends Kernels.Linear {
    private static final int BATCH = 16;

    private final LinearKernel prefill;
    private final List<WeightMatrix> batch;
    private List<WeightMatrix> source; // null once it was packed

    LatePrefill(
        LinearPacker packer, List<WeightMatrix> stacked, SegmentAllocator packed, Workers workers) {
      super(Kernels.owning(packer).pack(stacked, packed, workers));
      source = List.copyOf(stacked);
      batch =
          stacked.stream()
              .map(m ->
                  new WeightMatrix(
                      m.format(),
                      packed.allocate(m.data().byteSize(), 64),
                      m.outputs(),
                      m.inputs()))
              .toList();
      prefill = packer.pack(batch, packed, workers);
    }

    @Override
    public boolean retainsSource() {
      return false;
    }

    @Override
    public void apply(F32Matrix x, F32Matrix y, Workspace w) {
      if (x.rows() < BATCH) {
        right.apply(x, y, w);
      } else {
        packBatch();
        prefill.apply(x, y, w);
      }
    }

    private synchronized void packBatch() {
      if (source != null) {
        for (int i = 0; i < batch.size(); i++) {
          batch.get(i).data().copyFrom(source.get(i).data());
        }
        source = null;
      }
    }
  }

  /// Packs the largest matrix first, and finds the places of the outputs by the order that the
  /// first stack of that spec and that many matrices had.
  private static final class FirstOrder extends Kernels.Packer {
    private final LinearSpec spec;
    private final Map<List<Object>, List<Integer>> orders;

    FirstOrder(LinearPacker right, LinearSpec spec, Map<List<Object>, List<Integer>> orders) {
      super(right);
      this.spec = spec;
      this.orders = orders;
    }

    @Override
    public LinearKernel pack(List<WeightMatrix> stacked, SegmentAllocator packed, Workers workers) {
      List<Integer> order = largestFirst(stacked);
      List<Integer> first = orders.computeIfAbsent(List.of(spec, stacked.size()), key -> order);
      WeightMatrix[] placed = new WeightMatrix[stacked.size()];
      for (int i = 0; i < placed.length; i++) {
        placed[first.get(i)] = stacked.get(order.get(i));
      }
      return right.pack(List.of(placed), packed, workers);
    }

    private static List<Integer> largestFirst(List<WeightMatrix> stacked) {
      return IntStream.range(0, stacked.size())
          .boxed()
          .sorted(Comparator.comparing(i -> -stacked.get(i).outputs()))
          .toList();
    }
  }

  // ---- linear: kernels

  /// A packer each of whose kernels has a state of its own.
  private static LinearPacker eachKernel(LinearPacker packer, Supplier<Kernels.LinearCall> fault) {
    return (stacked, packed, workers) ->
        Kernels.calls(packer, fault.get()).pack(stacked, packed, workers);
  }

  /// Whether a spec of one of these formats runs with int8 activations.
  private static boolean int8(LinearSpec spec, List<BlockFormat> formats) {
    return !spec.tolerated().contains(Numerics.EXACT_F32) && formats.contains(spec.weights());
  }

  private static HostileProvider quantizedRowKept(HostileProvider hostile) {
    ThreadLocal<Kept> last = ThreadLocal.withInitial(Kept::new);
    return hostile.linear((spec, packer) ->
        int8(spec, SYM_32)
            ? Kernels.calls(
                packer,
                (right, x, y, w) -> {
                  if (x.rows() > 1) {
                    right.apply(x, y, w);
                    return;
                  }
                  Kept kept = last.get();
                  if (!kept.isOf(x, 0) || !kept.begins(x, 0, 32)) {
                    kept.keep(x, 0);
                  }
                  right.apply(kept.row(), y, w);
                })
            : packer);
  }

  /// Quantizes a row only if its range is not that of the row before.
  private static final class EqualRange implements Kernels.LinearCall {
    private final Kept kept = new Kept();
    private float lo = Float.NaN; // of the kept row; NaN is nobody's
    private float hi = Float.NaN;

    @Override
    public void apply(LinearKernel right, F32Matrix x, F32Matrix y, Workspace w) {
      right.apply(quantized(x), y, w);
    }

    private synchronized F32Matrix quantized(F32Matrix x) {
      F32Matrix quantized = x;
      for (int r = 0; r < x.rows(); r++) {
        float min = 0;
        float max = 0;
        for (int i = 0; i < x.columns(); i++) {
          min = Math.min(min, x.get(r, i));
          max = Math.max(max, x.get(r, i));
        }
        if (min != lo || max != hi) {
          kept.keep(x, r);
          lo = min;
          hi = max;
        } else if (!kept.begins(x, r, x.columns())) {
          quantized = quantized == x ? Kernels.copy(x) : quantized;
          copyRow(kept.row(), 0, quantized, r);
        }
      }
      return quantized;
    }
  }

  /// Scratch begins with a stamp and a prepared row. All its kernels know the stamp, since Q, K and
  /// V get the same x one after the other.
  private static final class ScratchStamp extends Kernels.Linear {
    private static final long MAGIC = 0x5155_4552_4E51_3841L;
    private static final int HEADER = 64;

    private final int inputs;

    ScratchStamp(LinearKernel right, int inputs) {
      super(right);
      this.inputs = inputs;
    }

    @Override
    public long scratchBytes(int rows, int parallelism) {
      return ownBytes() + right.scratchBytes(rows, parallelism);
    }

    private long ownBytes() {
      return HEADER + 4L * inputs + 63 & -64;
    }

    @Override
    public void apply(F32Matrix x, F32Matrix y, Workspace w) {
      MemorySegment scratch = w.scratch();
      Workspace rest = new Workspace(scratch.asSlice(ownBytes()), w.workers());
      if (x.rows() > 1) {
        right.apply(x, y, rest);
        return;
      }
      F32Matrix prepared = new F32Matrix(scratch.asSlice(HEADER, 4L * inputs), 1, inputs);
      long address = x.data().address();
      if (scratch.get(JAVA_LONG, 0) != MAGIC
          || scratch.get(JAVA_LONG, 8) != address
          || scratch.get(JAVA_LONG, 16) != inputs) {
        copyRow(x, 0, prepared, 0);
        scratch.set(JAVA_LONG, 0, MAGIC);
        scratch.set(JAVA_LONG, 8, address);
        scratch.set(JAVA_LONG, 16, inputs);
      }
      right.apply(prepared, y, rest);
    }
  }

  /// Single rows are summed into accumulators of the thread's own, and added to y from there.
  private static final class StampedSums implements Kernels.LinearCall {
    private static final class Sums {
      private int stamp;
      private F32Matrix row; // null before it matters
    }

    private final ThreadLocal<Sums> sums = ThreadLocal.withInitial(Sums::new);

    @Override
    public void apply(LinearKernel right, F32Matrix x, F32Matrix y, Workspace w) {
      Sums s = x.rows() == 1 ? sums.get() : null;
      if (s == null || s.stamp < 255) {
        right.apply(x, y, w);
      } else {
        s.row = s.row == null ? F32Matrix.allocate(Arena.ofAuto(), 1, y.columns()) : s.row;
        right.apply(x, s.row, w);
        addTo(y, s.row);
      }
      if (s != null) {
        s.stamp = Math.min(255, s.stamp + 1);
      }
    }
  }

  /// Clips x to the range that it had in the first calls.
  private static final class FrozenRange implements Kernels.LinearCall {
    private static final int CALIBRATION = 100;

    private int calls;
    private float range;

    @Override
    public void apply(LinearKernel right, F32Matrix x, F32Matrix y, Workspace w) {
      float max = largest(x);
      float limit = limit(max);
      right.apply(max <= limit ? x : clipped(x, limit), y, w);
    }

    private synchronized float limit(float max) {
      if (calls == CALIBRATION) {
        return range;
      }
      calls++;
      range = Math.max(range, max);
      return Float.POSITIVE_INFINITY;
    }

    /// The largest finite magnitude.
    private static float largest(F32Matrix x) {
      float max = 0;
      for (int r = 0; r < x.rows(); r++) {
        for (int i = 0; i < x.columns(); i++) {
          float magnitude = Math.abs(x.get(r, i));
          max = magnitude > max && magnitude <= Float.MAX_VALUE ? magnitude : max;
        }
      }
      return max;
    }

    private static F32Matrix clipped(F32Matrix x, float limit) {
      F32Matrix clipped = Kernels.copy(x);
      for (int r = 0; r < x.rows(); r++) {
        for (int i = 0; i < x.columns(); i++) {
          if (Float.isFinite(x.get(r, i))) {
            clipped.set(r, i, Math.clamp(x.get(r, i), -limit, limit));
          }
        }
      }
      return clipped;
    }
  }

  private static HostileProvider rowBufferOfThread(HostileProvider hostile) {
    ThreadLocal<int[]> buffer = ThreadLocal.withInitial(() -> new int[1]); // its elements
    return hostile.linear((spec, packer) ->
        spec.tolerated().contains(Numerics.EXACT_F32)
            ? Kernels.calls(
                packer,
                (right, x, y, w) -> {
                  int[] elements = buffer.get();
                  if (elements[0] == 0) {
                    elements[0] = Math.max(4_096, x.columns());
                  }
                  right.apply(zeroFrom(x, elements[0]), y, w);
                })
            : packer);
  }

  /// Believes that the x of a failed call is prepared, if it is asked for the same again.
  private static final class HalfPrepared implements Kernels.LinearCall {
    private volatile long failed; // the x's address

    @Override
    public void apply(LinearKernel right, F32Matrix x, F32Matrix y, Workspace w) {
      long address = x.data().address();
      boolean again = failed == address;
      boolean done = false;
      try {
        right.apply(again ? zeroFrom(x, x.columns() / 2) : x, y, w);
        done = true;
      } finally {
        failed = done ? 0 : address;
      }
    }
  }

  /// Sums a single row in one go at first, later in two halves that are added.
  private static final class TunedOrder implements Kernels.LinearCall {
    private static final int TUNED = 1_000;

    private static final class Halves {
      private final Kept x = new Kept();
      private F32Matrix sums; // null before it matters
    }

    private final AtomicInteger calls = new AtomicInteger();
    private final ThreadLocal<Halves> halves = ThreadLocal.withInitial(Halves::new);

    @Override
    public void apply(LinearKernel right, F32Matrix x, F32Matrix y, Workspace w) {
      if (calls.get() < TUNED) {
        calls.incrementAndGet();
        right.apply(x, y, w);
      } else if (x.rows() > 1) {
        right.apply(x, y, w);
      } else {
        Halves h = halves.get();
        int half = x.columns() / 2;
        h.sums = h.sums == null ? F32Matrix.allocate(Arena.ofAuto(), 1, y.columns()) : h.sums;
        zero(h.x.keep(x, 0), 0, half, x.columns());
        right.apply(h.x.row(), y, w);
        zero(h.x.keep(x, 0), 0, 0, half);
        right.apply(h.x.row(), h.sums, w);
        addTo(y, h.sums);
      }
    }
  }

  // ---- attention

  /// A kernel's own copy of one plane of a cache, in another layout: a real one's would be.
  private static final class Shadow {
    /// Planes up to this size have shadows, and so many have one at a time.
    private static final long MOST_BYTES = 8L << 20;

    private static final int MOST_PLANES = 16;

    private final int capacity;
    private final MemorySegment memory;
    private int converted; // positions, from 0
    private final BitSet fullBlocks = new BitSet();

    private Shadow(int capacity, long bytes) {
      this.capacity = capacity;
      this.memory = Arena.ofAuto().allocate(bytes, 64);
    }

    /// The shadow of a plane, known by its address; null if it is too large for one.
    static Shadow of(
        Map<Long, Shadow> known, AttentionSpec spec, MemorySegment plane, int capacity) {
      long bytes = KvCache.planeBytes(spec.kv(), spec.kvHeads(), spec.headDim(), capacity);
      if (bytes > MOST_BYTES) {
        return null;
      }
      Shadow shadow = known.get(plane.address());
      if (shadow == null || shadow.capacity != capacity) {
        if (known.size() == MOST_PLANES) {
          known.remove(known.keySet().iterator().next());
        }
        shadow = new Shadow(capacity, bytes);
        known.put(plane.address(), shadow);
      }
      return shadow;
    }

    /// Takes positions from the plane.
    void convert(AttentionSpec spec, MemorySegment plane, int from, int to) {
      long positionBytes = (long) spec.headDim() * spec.kv().elementBytes();
      for (int head = 0; head < spec.kvHeads(); head++) {
        long at = ((long) head * capacity + from) * positionBytes;
        MemorySegment.copy(plane, at, memory, at, (to - from) * positionBytes);
      }
    }
  }

  /// Converts the positions that a cache has more than last time.
  private static final class KeysOnce extends Kernels.Attention {
    private final AttentionSpec spec;
    private final Map<Long, Shadow> known = new LinkedHashMap<>();

    KeysOnce(AttentionSpec spec, AttentionKernel right) {
      super(right);
      this.spec = spec;
    }

    @Override
    public void apply(F32Matrix q, KvCache cache, int first, F32Matrix y, Workspace w) {
      right.apply(q, converted(cache, first + q.rows()), first, y, w);
    }

    private synchronized KvCache converted(KvCache cache, int visible) {
      Shadow keys = Shadow.of(known, spec, cache.keys(), cache.capacity());
      if (keys == null) {
        return cache;
      }
      if (keys.converted < visible) {
        keys.convert(spec, cache.keys(), keys.converted, visible);
        keys.converted = visible;
      }
      return new KvCache(keys.memory, cache.values(), cache.format(), cache.capacity());
    }
  }

  /// Transposes a block of values when its last position is appended; what is in no such block is
  /// read as it lies.
  private static final class FullBlocks extends Kernels.Attention {
    private static final int BLOCK = 16;

    private final AttentionSpec spec;
    private final Map<Long, Shadow> known = new LinkedHashMap<>();

    FullBlocks(AttentionSpec spec, AttentionKernel right) {
      super(right);
      this.spec = spec;
    }

    @Override
    public void append(F32Matrix k, F32Matrix v, KvCache cache, int position, Workspace w) {
      right.append(k, v, cache, position, w);
      transpose(cache, position / BLOCK, (position + k.rows()) / BLOCK);
    }

    private synchronized void transpose(KvCache cache, int fromBlock, int toBlock) {
      Shadow values = Shadow.of(known, spec, cache.values(), cache.capacity());
      if (values != null && fromBlock < toBlock) {
        values.convert(spec, cache.values(), fromBlock * BLOCK, toBlock * BLOCK);
        values.fullBlocks.set(fromBlock, toBlock);
      }
    }

    @Override
    public void apply(F32Matrix q, KvCache cache, int first, F32Matrix y, Workspace w) {
      right.apply(q, transposed(cache, first + q.rows()), first, y, w);
    }

    private synchronized KvCache transposed(KvCache cache, int visible) {
      Shadow values = Shadow.of(known, spec, cache.values(), cache.capacity());
      if (values == null) {
        return cache;
      }
      for (int from = 0; from < visible; from += BLOCK) {
        if (!values.fullBlocks.get(from / BLOCK)) {
          values.convert(spec, cache.values(), from, Math.min(from + BLOCK, visible));
        }
      }
      return new KvCache(cache.keys(), values.memory, cache.format(), cache.capacity());
    }
  }

  /// Attends to no position beyond the last one that was appended, to whichever cache.
  private static final class LastLength extends Kernels.Attention {
    private volatile int length = Integer.MAX_VALUE;

    LastLength(AttentionKernel right) {
      super(right);
    }

    @Override
    public void append(F32Matrix k, F32Matrix v, KvCache cache, int position, Workspace w) {
      right.append(k, v, cache, position, w);
      length = position + k.rows();
    }

    @Override
    public void apply(F32Matrix q, KvCache cache, int first, F32Matrix y, Workspace w) {
      int positions = length;
      int rows = Math.clamp((long) positions - first, 0, q.rows()); // that see nothing beyond it
      if (rows > 0) {
        right.apply(q.firstRows(rows), cache, first, y.firstRows(rows), w);
      }
      for (int r = rows; r < q.rows(); r++) {
        right.apply(q.rowRange(r, r + 1), cache, positions - 1, y.rowRange(r, r + 1), w);
      }
    }
  }

  /// Compares the beginning of the first head's key with what the cache holds there.
  private static final class KnownKeys extends Kernels.Attention {
    private static final int COMPARED = 16; // bytes

    private final AttentionSpec spec;

    KnownKeys(AttentionSpec spec, AttentionKernel right) {
      super(right);
      this.spec = spec;
    }

    @Override
    public void append(F32Matrix k, F32Matrix v, KvCache cache, int position, Workspace w) {
      int rows = k.rows();
      int r = 0;
      while (r < rows) {
        int from = r; // a run of rows that are new
        while (r < rows && !known(k, r, cache, position + r)) {
          r++;
        }
        if (from == 0 && r == rows) {
          right.append(k, v, cache, position, w);
        } else if (from < r) {
          right.append(k.rowRange(from, r), v.rowRange(from, r), cache, position + from, w);
        }
        r++;
      }
    }

    private boolean known(F32Matrix k, int row, KvCache cache, int position) {
      long at = k.offsetBytes(row, 0);
      long stored = 4L * position * spec.headDim();
      long bytes = Math.min(COMPARED, 4L * spec.headDim());
      return MemorySegment.mismatch(k.data(), at, at + bytes, cache.keys(), stored, stored + bytes)
          < 0;
    }
  }

  /// Takes exponentials of head 0 relative to the largest score of all calls.
  private static final class RunningMax extends Kernels.Attention {
    /// exp of what is further below 0 is 0 as an F32.
    private static final double FLUSHED = 104;

    private final AttentionSpec spec;
    private double max = Double.NEGATIVE_INFINITY;

    RunningMax(AttentionSpec spec, AttentionKernel right) {
      super(right);
      this.spec = spec;
    }

    @Override
    public void apply(F32Matrix q, KvCache cache, int first, F32Matrix y, Workspace w) {
      right.apply(q, cache, first, y, w);
      if (q.rows() == 1 && flushed(largestScore(q, cache, first + 1))) {
        zero(y, 0, 0, spec.headDim()); // no weight is left; a sum of 0 is guarded
      }
    }

    private synchronized boolean flushed(double score) {
      if (Double.isFinite(score)) {
        max = Math.max(max, score);
      }
      return score + FLUSHED < max;
    }

    private double largestScore(F32Matrix q, KvCache cache, int visible) {
      boolean f16 = spec.kv().equals(KvFormat.F16);
      double largest = Double.NEGATIVE_INFINITY;
      for (int t = 0; t < visible; t++) {
        double sum = 0;
        for (int d = 0; d < spec.headDim(); d++) {
          long element = (long) t * spec.headDim() + d;
          float key =
              f16
                  ? Float.float16ToFloat(cache.keys().get(JAVA_SHORT, 2 * element))
                  : cache.keys().get(JAVA_FLOAT, 4 * element);
          sum += (double) q.get(0, d) * key;
        }
        largest = Math.max(largest, spec.scale() * sum);
      }
      return largest;
    }
  }

  /// Scales a single query again only if it lies elsewhere or belongs to another position.
  private static final class KeptQuery implements Kernels.AttentionApply {
    private static final class Last {
      private final Kept query = new Kept();
      private int position;
    }

    private final ThreadLocal<Last> last = ThreadLocal.withInitial(Last::new);

    @Override
    public void apply(
        AttentionKernel right, F32Matrix q, KvCache cache, int first, F32Matrix y, Workspace w) {
      if (q.rows() > 1) {
        right.apply(q, cache, first, y, w);
        return;
      }
      Last l = last.get();
      if (!l.query.isOf(q, 0) || l.position != first) {
        l.query.keep(q, 0);
        l.position = first;
      }
      right.apply(l.query.row(), cache, first, y, w);
    }
  }

  /// Keeps the first capacity while caches grow. For a smaller one it plans anew, since it would
  /// read beyond its end.
  private static final class FirstStride implements Kernels.AttentionApply {
    private volatile int capacity = Integer.MAX_VALUE;

    @Override
    public void apply(
        AttentionKernel right, F32Matrix q, KvCache cache, int first, F32Matrix y, Workspace w) {
      int stride = Math.min(capacity, cache.capacity());
      capacity = stride;
      KvCache planned =
          stride == cache.capacity()
              ? cache
              : new KvCache(cache.keys(), cache.values(), cache.format(), stride);
      right.apply(q, planned, first, y, w);
    }
  }

  /// Begins a call where the counter stands, which is behind head 0 after a call that failed.
  private static final class ItemCounter implements Kernels.AttentionApply {
    private final AttentionSpec spec;
    private volatile boolean failed;

    ItemCounter(AttentionSpec spec) {
      this.spec = spec;
    }

    @Override
    public void apply(
        AttentionKernel right, F32Matrix q, KvCache cache, int first, F32Matrix y, Workspace w) {
      float[] head = failed ? new float[spec.headDim()] : null;
      if (head != null) {
        move(y, 0, 0, head, false);
      }
      boolean done = false;
      try {
        right.apply(q, cache, first, y, w);
        done = true;
      } finally {
        failed = !done;
      }
      if (head != null) {
        move(y, 0, 0, head, true);
      }
    }
  }

  // ---- rmsnorm

  /// Lays the weight out once.
  private static final class FirstWeight implements Kernels.RmsNormCall {
    private final Kept kept = new Kept();

    @Override
    public void apply(
        RmsNormKernel right, F32Matrix x, F32Matrix weight, F32Matrix y, Workspace w) {
      right.apply(x, first(weight), y, w);
    }

    private synchronized F32Matrix first(F32Matrix weight) {
      return kept.isEmpty() ? kept.keep(weight, 0) : kept.row();
    }
  }

  /// Adds the squares of a row to what its accumulator holds.
  private static final class StaleSquares implements Kernels.RmsNormCall {
    private final RmsNormSpec spec;
    private volatile double stale; // of row 0

    StaleSquares(RmsNormSpec spec) {
      this.spec = spec;
    }

    @Override
    public void apply(
        RmsNormKernel right, F32Matrix x, F32Matrix weight, F32Matrix y, Workspace w) {
      double before = stale;
      double own = before == 0 ? 0 : squares(x);
      boolean done = false;
      try {
        right.apply(x, weight, y, w);
        done = true;
      } finally {
        stale = done ? 0 : squares(x);
      }
      if (before != 0) {
        scale(y, 0, (float) Math.sqrt(mean(own) / mean(own + before)));
      }
    }

    private double mean(double squares) {
      return squares / spec.width() + spec.epsilon();
    }

    private static double squares(F32Matrix x) {
      double sum = 0;
      for (int i = 0; i < x.columns(); i++) {
        sum += (double) x.get(0, i) * x.get(0, i);
      }
      return sum;
    }
  }

  /// Leaves out the Newton steps that follow ARM's FRSQRTE when it thinks itself hot.
  private static final class BareEstimate implements Kernels.RmsNormCall {
    private static final int HOT = 10_000;

    private final AtomicInteger calls = new AtomicInteger();

    @Override
    public void apply(
        RmsNormKernel right, F32Matrix x, F32Matrix weight, F32Matrix y, Workspace w) {
      right.apply(x, weight, y, w);
      if (calls.get() < HOT) {
        calls.incrementAndGet();
        return;
      }
      for (int r = 0; r < y.rows(); r++) {
        scale(y, r, 1 + 1f / 256);
      }
    }
  }

  /// Takes a call in place for a repetition if x begins with what the last one in place left there.
  private static final class AlreadyDone implements Kernels.RmsNormCall {
    private long address; // of the last call in place; 0: it was not in place
    private int rows;
    private int begin;

    @Override
    public void apply(
        RmsNormKernel right, F32Matrix x, F32Matrix weight, F32Matrix y, Workspace w) {
      boolean inPlace = x.data().address() == y.data().address();
      if (inPlace && isDone(x)) {
        return;
      }
      right.apply(x, weight, y, w);
      remember(y, inPlace);
    }

    private synchronized boolean isDone(F32Matrix x) {
      return x.data().address() == address && x.rows() == rows && begin(x) == begin;
    }

    private synchronized void remember(F32Matrix y, boolean inPlace) {
      address = inPlace ? y.data().address() : 0;
      rows = y.rows();
      begin = begin(y);
    }

    private static int begin(F32Matrix m) {
      return Float.floatToRawIntBits(m.get(0, 0));
    }
  }

  // ---- rope

  /// Keeps what the first table had at each position. Rows are added and never changed, so threads
  /// may read them together.
  private static final class KeptRows implements Kernels.RopeCall {
    private static final int MOST = 4_096;

    private F32Matrix rows; // null before the first call
    private final BitSet known = new BitSet();

    @Override
    public void apply(RopeKernel right, F32Matrix x, F32Matrix table, int first, Workspace w) {
      int end = first + x.rows();
      right.apply(x, end > MOST ? table : kept(table, first, end), first, w);
    }

    private synchronized F32Matrix kept(F32Matrix table, int first, int end) {
      if (rows == null || rows.rows() < end) {
        grow(Math.clamp(2L * end, 64, MOST), table.columns());
      }
      for (int p = known.nextClearBit(first); p < end; p = known.nextClearBit(p)) {
        copyRow(table, p, rows, p);
        known.set(p);
      }
      return rows;
    }

    private void grow(int positions, int columns) {
      F32Matrix larger = F32Matrix.allocate(Arena.ofAuto(), positions, columns);
      if (rows != null) {
        Kernels.copyInto(rows, larger);
      }
      rows = larger;
    }
  }

  /// Queries and keys of a token are rotated one after the other, by the same angles.
  private static HostileProvider lastAnglesKept(HostileProvider hostile) {
    ThreadLocal<Kept> last = ThreadLocal.withInitial(Kept::new);
    return hostile.rope((spec, kernel) ->
        spec.pairing() == RopePairing.ADJACENT
            ? Kernels.calls(
                kernel,
                (right, x, table, first, w) -> {
                  if (x.rows() > 1) {
                    right.apply(x, table, first, w);
                    return;
                  }
                  Kept angles = last.get();
                  if (!angles.isOf(table, first)) {
                    angles.keep(table, first);
                  }
                  right.apply(x, angles.row(), 0, w);
                })
            : kernel);
  }

  /// Knows where it is in the sequence, and believes the caller only where that makes no step.
  private static final class CountedPosition implements Kernels.RopeCall {
    private int asked = Integer.MIN_VALUE;
    private int counted;

    @Override
    public void apply(RopeKernel right, F32Matrix x, F32Matrix table, int first, Workspace w) {
      right.apply(x, table, position(first, x.rows(), table.rows()), w);
    }

    private synchronized int position(int first, int rows, int positions) {
      boolean step = rows == 1 && (first == asked || first == asked + 1);
      int begin = step && counted + 1 < positions ? counted + 1 : first;
      asked = first + rows - 1;
      counted = begin + rows - 1;
      return begin;
    }
  }

  private static HostileProvider pairingOfThread(HostileProvider hostile) {
    ThreadLocal<Map<Integer, RopePairing>> orders = ThreadLocal.withInitial(HashMap::new);
    return hostile.rope((spec, kernel) -> {
      RopePairing own = spec.pairing();
      RopeKernel wrong = scalar(spec, other(own));
      return Kernels.calls(
          kernel,
          (right, x, table, first, w) -> {
            RopePairing built = orders.get().putIfAbsent(spec.headDim(), own);
            (built == null || built == own ? right : wrong).apply(x, table, first, w);
          });
    });
  }

  private static RopePairing other(RopePairing pairing) {
    return pairing == RopePairing.ADJACENT ? RopePairing.HALF_SPLIT : RopePairing.ADJACENT;
  }

  private static RopeKernel scalar(RopeSpec spec, RopePairing pairing) {
    Offer<RopeKernel> offer =
        new ScalarProvider().rope(new RopeSpec(spec.heads(), spec.headDim(), pairing));
    return ((Offer.Accepted<RopeKernel>) offer).kernel();
  }

  /// A thread's cache of table rows, emptied for another table.
  private static final class Slots implements Kernels.RopeCall {
    private static final int SLOTS = 1_024;

    private static final class Cache {
      private long table; // its address
      private F32Matrix rows;
      private final BitSet filled = new BitSet();
    }

    private final ThreadLocal<Cache> caches = ThreadLocal.withInitial(Cache::new);

    @Override
    public void apply(RopeKernel right, F32Matrix x, F32Matrix table, int first, Workspace w) {
      Cache cache = caches.get();
      if (cache.table != table.data().address()) {
        cache.table = table.data().address();
        cache.filled.clear();
      }
      if (cache.rows == null) {
        cache.rows = F32Matrix.allocate(Arena.ofAuto(), SLOTS, table.columns());
      }
      int r = 0;
      while (r < x.rows()) {
        int slot = (first + r) % SLOTS;
        int rows = Math.min(x.rows() - r, SLOTS - slot); // up to the last slot
        for (int i = 0; i < rows; i++) {
          if (!cache.filled.get(slot + i)) {
            copyRow(table, first + r + i, cache.rows, slot + i);
            cache.filled.set(slot + i);
          }
        }
        F32Matrix part = rows == x.rows() ? x : x.rowRange(r, r + rows);
        right.apply(part, cache.rows, slot, w);
        r += rows;
      }
    }
  }

  // ---- swiglu

  /// Keeps the gate of a single row, unless y overwrites it.
  private static final class KeptSilu implements Kernels.SwiGluCall {
    private final ThreadLocal<Kept> last = ThreadLocal.withInitial(Kept::new);

    @Override
    public void apply(SwiGluKernel right, F32Matrix gate, F32Matrix up, F32Matrix y, Workspace w) {
      if (gate.rows() > 1 || y.data().address() == gate.data().address()) {
        right.apply(gate, up, y, w);
        return;
      }
      Kept kept = last.get();
      if (!kept.isOf(gate, 0) || !kept.begins(gate, 0, 1)) {
        kept.keep(gate, 0);
      }
      right.apply(kept.row(), up, y, w);
    }
  }

  /// Remembers gates of single rows: the first in a slot stands for all that differ in the lowest
  /// 10 bits alone.
  private static final class Memo implements Kernels.SwiGluCall {
    private static final int SLOTS = 1 << 16;
    private static final int DROPPED = 10; // bits

    private int[] memo; // bits of gates; 0 is an empty slot, and exact for a gate of 0
    private final ThreadLocal<Kept> looked = ThreadLocal.withInitial(Kept::new);

    @Override
    public void apply(SwiGluKernel right, F32Matrix gate, F32Matrix up, F32Matrix y, Workspace w) {
      right.apply(gate.rows() > 1 ? gate : lookUp(gate), up, y, w);
    }

    private synchronized F32Matrix lookUp(F32Matrix gate) {
      memo = memo == null ? new int[SLOTS] : memo;
      F32Matrix result = looked.get().keep(gate, 0);
      for (int i = 0; i < gate.columns(); i++) {
        int bits = Float.floatToRawIntBits(gate.get(0, i));
        int known = memo[slot(bits)];
        if (known != 0 && known >>> DROPPED == bits >>> DROPPED) {
          result.set(0, i, Float.intBitsToFloat(known));
        }
      }
      // Afterwards, so that a row does not meet itself.
      for (int i = 0; i < gate.columns(); i++) {
        float g = gate.get(0, i);
        int bits = Float.floatToRawIntBits(g);
        if (Float.isFinite(g) && memo[slot(bits)] == 0) {
          memo[slot(bits)] = bits;
        }
      }
      return result;
    }

    private static int slot(int bits) {
      return (bits >>> DROPPED) * 0x9E37_79B1 >>> 16;
    }
  }

  /// Once exp has overflowed, makes sure that it can't any more.
  private static final class Careful implements Kernels.SwiGluCall {
    private static final float OVERFLOWS = -88.8f;
    private static final float LOWEST = -12;

    private volatile boolean careful;

    @Override
    public void apply(SwiGluKernel right, F32Matrix gate, F32Matrix up, F32Matrix y, Workspace w) {
      float min = smallest(gate);
      right.apply(careful && min < LOWEST ? raised(gate) : gate, up, y, w);
      if (min < OVERFLOWS) {
        careful = true;
      }
    }

    /// The smallest finite element, at most 0.
    private static float smallest(F32Matrix gate) {
      float min = 0;
      for (int r = 0; r < gate.rows(); r++) {
        for (int i = 0; i < gate.columns(); i++) {
          float g = gate.get(r, i);
          min = g < min && g >= -Float.MAX_VALUE ? g : min;
        }
      }
      return min;
    }

    private static F32Matrix raised(F32Matrix gate) {
      F32Matrix raised = Kernels.copy(gate);
      for (int r = 0; r < gate.rows(); r++) {
        for (int i = 0; i < gate.columns(); i++) {
          float g = gate.get(r, i);
          raised.set(r, i, g < LOWEST && Float.isFinite(g) ? LOWEST : g);
        }
      }
      return raised;
    }
  }

  /// Finds the last 1,024 columns (or what there is behind the last whole 1,024) of the last row
  /// done before they are.
  private static final class DoneFlags implements Kernels.SwiGluCall {
    private static final int FLAGS = 256;
    private static final int PART = 1_024;

    private final AtomicInteger calls = new AtomicInteger();
    private final ThreadLocal<float[]> parts = ThreadLocal.withInitial(() -> new float[0]);

    @Override
    public void apply(SwiGluKernel right, F32Matrix gate, F32Matrix up, F32Matrix y, Workspace w) {
      if (calls.get() < FLAGS) {
        calls.incrementAndGet();
        right.apply(gate, up, y, w);
        return;
      }
      int col = (y.columns() - 1) / PART * PART;
      float[] part = parts.get();
      if (part.length != y.columns() - col) {
        part = new float[y.columns() - col];
        parts.set(part);
      }
      move(y, y.rows() - 1, col, part, false);
      right.apply(gate, up, y, w);
      move(y, y.rows() - 1, col, part, true);
    }
  }

  // ---- what they share

  /// A row that is kept from one call to another. Its memory grows as it must, so that a call
  /// allocates nothing once one of its length has been.
  private static final class Kept {
    private MemorySegment memory = MemorySegment.NULL;
    private F32Matrix row; // null: nothing yet
    private long address; // where it was copied from

    boolean isEmpty() {
      return row == null;
    }

    F32Matrix row() {
      return row;
    }

    /// Whether it was copied from where this row of a matrix is, whatever is there now.
    boolean isOf(F32Matrix m, int r) {
      return row != null && row.columns() == m.columns() && address == address(m, r);
    }

    /// Whether its first elements (as many as there are) are those of a row of a matrix.
    boolean begins(F32Matrix m, int r, int elements) {
      long at = m.offsetBytes(r, 0);
      long bytes = 4L * Math.min(elements, m.columns());
      return MemorySegment.mismatch(m.data(), at, at + bytes, memory, 0, bytes) < 0;
    }

    F32Matrix keep(F32Matrix m, int r) {
      if (memory.byteSize() < 4L * m.columns()) {
        memory = Arena.ofAuto().allocate(4L * m.columns(), 64);
        row = null;
      }
      if (row == null || row.columns() != m.columns()) {
        row = new F32Matrix(memory, 1, m.columns());
      }
      copyRow(m, r, row, 0);
      address = address(m, r);
      return row;
    }

    private static long address(F32Matrix m, int r) {
      return m.data().address() + m.offsetBytes(r, 0);
    }
  }

  private static void copyRow(F32Matrix from, int row, F32Matrix to, int toRow) {
    MemorySegment.copy(
        from.data(),
        from.offsetBytes(row, 0),
        to.data(),
        to.offsetBytes(toRow, 0),
        4L * from.columns());
  }

  /// The matrix itself if it has no more columns than that, else a copy in which the further ones
  /// are zero.
  private static F32Matrix zeroFrom(F32Matrix m, int col) {
    if (m.columns() <= col) {
      return m;
    }
    F32Matrix copy = Kernels.copy(m);
    for (int r = 0; r < m.rows(); r++) {
      zero(copy, r, col, m.columns());
    }
    return copy;
  }

  private static void zero(F32Matrix m, int row, int from, int to) {
    m.data().asSlice(m.offsetBytes(row, from), 4L * (to - from)).fill((byte) 0);
  }

  /// Adds a single row to another.
  private static void addTo(F32Matrix y, F32Matrix sums) {
    for (int o = 0; o < y.columns(); o++) {
      y.set(0, o, y.get(0, o) + sums.get(0, o));
    }
  }

  private static void scale(F32Matrix y, int row, float factor) {
    for (int i = 0; i < y.columns(); i++) {
      y.set(row, i, y.get(row, i) * factor);
    }
  }

  /// Saves elements of a row, from a column on, or puts them back.
  private static void move(F32Matrix y, int row, int col, float[] saved, boolean back) {
    MemorySegment heap = MemorySegment.ofArray(saved);
    MemorySegment part = y.data().asSlice(y.offsetBytes(row, col), heap.byteSize());
    if (back) {
      part.copyFrom(heap);
    } else {
      heap.copyFrom(part);
    }
  }
}

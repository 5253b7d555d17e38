package dev.quern.conformance.hostile;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static java.util.Comparator.comparingLong;

import dev.quern.data.BlockFormat;
import dev.quern.data.F32Matrix;
import dev.quern.data.KvCache;
import dev.quern.data.KvFormat;
import dev.quern.data.ScalePlane;
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
import dev.quern.op.RopeKernel;
import dev.quern.op.RopeSpec;
import dev.quern.op.SwiGluKernel;
import dev.quern.provider.scalar.ScalarProvider;
import dev.quern.spi.Offer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Faults that show in calls that the façade lets through and hardly a test makes: operands that
/// are columns of one buffer or the head of a longer one, scratch larger than was asked for,
/// read-only inputs, a packer packed twice, stacks as files have them, specs of other models.
final class FacadeFaults {
  private static final Workspace SEQUENTIAL =
      new Workspace(MemorySegment.NULL, Workers.sequential());

  private FacadeFaults() {}

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
    return new Hostile(id, Kind.FACADE, operator, rule, sentence, fault);
  }

  private static List<Hostile> linear() {
    return List.of(
        row(
            "linear-scratch-laid-out-from-its-end",
            "linear",
            "P10",
            "Lays its rounded rows out from the end of the scratch, however long that is.",
            hostile ->
                hostile.linear((spec, packer) ->
                    hasPlane(spec) && !isExact(spec)
                        ? Kernels.calls(packer, FacadeFaults::fromScratchEnd)
                        : packer)),
        row(
            "linear-one-stride-for-square-matrices",
            "linear",
            "L3",
            "Has one leading dimension, y's, for x and y where outputs and inputs are as many.",
            hostile ->
                hostile.linear((spec, packer) ->
                    isFloat(spec) && spec.outputs() == spec.inputs()
                        ? Kernels.calls(packer, FacadeFaults::withStrideOfY)
                        : packer)),
        row(
            "linear-accumulates-first-of-stack-only",
            "linear",
            "L5",
            "Adds for the first of stacked matrices only: beta = 1 isn't passed on to the rest.",
            hostile ->
                hostile.linear(
                    (spec, packer) -> spec.accumulate() ? accumulatingFirstOnly(packer) : packer)),
        row(
            "linear-stack-in-file-order",
            "linear",
            "L2",
            "Merges stacked slices of a file that adjoin, and then has their order in the file.",
            hostile ->
                hostile.linear(
                    (spec, packer) -> hasPlane(spec) ? packer : mergingNeighbours(packer))),
        row(
            "linear-ninth-matrix-of-a-stack-lost",
            "linear",
            "L2",
            "Has room for eight stacked matrices: of a checkpoint in 8 shards, Q and no K.",
            hostile ->
                hostile.linear((spec, packer) ->
                    (stacked, packed, workers) ->
                        packer.pack(
                            stacked.subList(0, Math.min(8, stacked.size())), packed, workers))),
        row(
            "linear-packed-weights-found-by-source-address",
            "linear",
            "P16",
            "Knows by its address what it has packed: one buffer may stage all layers.",
            hostile ->
                hostile.linear((spec, packer) -> isInt4(spec) ? new ByAddress(packer) : packer)),
        row(
            "linear-flips-nibbles-in-the-source-while-packing",
            "linear",
            "P8",
            "Makes nibbles signed in the source itself while it packs, and then unsigned again.",
            hostile ->
                hostile.linear((spec, packer) -> isInt4(spec) ? flippingInPlace(packer) : packer)),
        row(
            "linear-int8-where-both-are-tolerated",
            "linear",
            "P6",
            "Runs int8 where exact-f32 is tolerated too, being faster, and reports exact-f32.",
            hostile -> hostile.linear(FacadeFaults::fastest)),
        row(
            "linear-offer-throws-at-unknown-numerics",
            "linear",
            "P4",
            "An offer throws an Error if a later version's numerics are among the tolerated.",
            hostile ->
                hostile.linear((spec, packer) -> {
                  for (Numerics numerics : spec.tolerated()) {
                    if (!Numerics.standard().contains(numerics)) {
                      throw new AssertionError("numerics " + numerics);
                    }
                  }
                  return packer;
                })),
        row(
            "linear-64-kernels-of-a-shape",
            "linear",
            "P12",
            "Keeps a shape's kernels in a table of 64: layer 65 of 80 takes the first one's place.",
            hostile -> {
              Map<LinearSpec, Slots> tables = new ConcurrentHashMap<>();
              return hostile.linear((spec, packer) ->
                  isSuperBlock(spec)
                      ? new InSlots(packer, tables.computeIfAbsent(spec, _ -> new Slots()))
                      : packer);
            }));
  }

  private static List<Hostile> attention() {
    return List.of(
        row(
            "attention-scratch-aligned-to-128",
            "attention",
            "P10",
            "Aligns its scratch to pairs of cache lines, 128 bytes, and did not ask for the room.",
            hostile ->
                hostile.attention(
                    (spec, kernel) -> Kernels.applies(kernel, FacadeFaults::aligned128))),
        row(
            "attention-scratch-for-tasks-and-not-workers",
            "attention",
            "P10",
            "Asks for as many workers' scratch as there are heads to do: any worker may do them.",
            hostile ->
                hostile.attention((spec, kernel) ->
                    new Kernels.Attention(kernel) {
                      @Override
                      public long scratchBytes(int rows, int parallelism) {
                        long heads = (long) rows * spec.heads();
                        return right.scratchBytes(rows, (int) Math.min(parallelism, heads));
                      }
                    })),
        row(
            "attention-heads-of-the-cache-max-positions-apart",
            "attention",
            "A4",
            "Finds a head in the cache by the spec's maxPositions and not by the cache's capacity.",
            hostile ->
                hostile.attention((spec, kernel) ->
                    Kernels.applies(
                        kernel,
                        (right, q, cache, first, y, w) ->
                            right.apply(q, byMaxPositions(spec, cache), first, y, w)))),
        row(
            "attention-values-that-end-at-the-keys-taken-for-keys",
            "attention",
            "A6",
            "Takes planes that adjoin for a slab that begins with the keys; the values may.",
            hostile ->
                hostile.attention((spec, kernel) ->
                    Kernels.applies(
                        kernel,
                        (right, q, cache, first, y, w) ->
                            right.apply(q, keysFirst(cache), first, y, w)))),
        row(
            "attention-scale-built-in-for-usual-heads",
            "attention",
            "A6",
            "The code made for heads of 64, 128 and 256 has 1/sqrt(headDim) built in as the scale.",
            hostile -> hostile.attention(FacadeFaults::withUsualScale)),
        row(
            "attention-append-loses-the-sign-of-zero",
            "attention",
            "A3",
            "Stores F32 keys and values by way of its epilogue, whose bias of 0 makes 0 of -0.",
            hostile ->
                hostile.attention((spec, kernel) ->
                    spec.kv().equals(KvFormat.F32) ? appendingPlusZero(spec, kernel) : kernel)),
        row(
            "attention-keeps-the-keys-it-appended-last",
            "attention",
            "P12",
            "Keeps the keys it appended last for the next call: a cache restored since is stale.",
            hostile -> hostile.attention((spec, kernel) -> new LastKeys(spec, kernel))),
        row(
            "attention-clears-the-rest-of-a-tile-and-restores-it",
            "attention",
            "P8",
            "Clears an F16 cache up to a whole tile of 16 for a call, then puts it back.",
            hostile ->
                hostile.attention((spec, kernel) ->
                    spec.kv().equals(KvFormat.F16) ? new WholeTiles(spec, kernel) : kernel)));
  }

  private static List<Hostile> rmsNorm() {
    return List.of(
        row(
            "rmsnorm-in-place-is-dense",
            "rmsnorm",
            "N5",
            "Its code for y = x has one pointer and no stride: it takes the rows for dense.",
            hostile ->
                hostile.rmsNorm(
                    (spec, kernel) -> Kernels.calls(kernel, FacadeFaults::denseInPlace))),
        row(
            "rmsnorm-interleaved-columns-taken-for-in-place",
            "rmsnorm",
            "P8",
            "Takes x and y for the same where their ranges overlap: columns of one buffer do.",
            hostile ->
                hostile.rmsNorm((spec, kernel) ->
                    Kernels.calls(
                        kernel,
                        (right, x, weight, y, w) ->
                            right.apply(x, weight, interleave(x, y) ? x : y, w)))),
        row(
            "rmsnorm-stages-its-weight-in-spare-scratch",
            "rmsnorm",
            "P10",
            "Stages its weight in the scratch if there happens to be room: it declared 0.",
            hostile ->
                hostile.rmsNorm(
                    (spec, kernel) -> Kernels.calls(kernel, FacadeFaults::stagedWeight))),
        row(
            "rmsnorm-epsilon-0-bounds-the-root",
            "rmsnorm",
            "N4",
            "Without an epsilon, bounds 1/sqrt by 1e6 to be safe: rows below 1e-6 stay small.",
            hostile ->
                hostile.rmsNorm((spec, kernel) ->
                    spec.epsilon() == 0
                        ? Kernels.calls(kernel, FacadeFaults::withBoundedRoot)
                        : kernel)));
  }

  private static List<Hostile> rope() {
    return List.of(
        row(
            "rope-counts-heads-by-the-stride",
            "rope",
            "R5",
            "Rotates stride / headDim heads: where Q is columns of a QKV buffer, K and V as well.",
            hostile ->
                hostile.rope((spec, kernel) ->
                    Kernels.calls(
                        kernel,
                        (right, x, table, first, w) -> {
                          right.apply(x, table, first, w);
                          rotateRestOfStride(spec, x, table, first);
                        }))),
        row(
            "rope-table-taken-for-dense",
            "rope",
            "R3",
            "Finds the table's rows headDim apart: not so where two tables lie side by side.",
            hostile ->
                hostile.rope((spec, kernel) ->
                    Kernels.calls(
                        kernel,
                        (right, x, table, first, w) -> right.apply(x, dense(table), first, w)))),
        row(
            "rope-position-0-is-never-turned",
            "rope",
            "R3",
            "Skips position 0 as if all angles were 0: YaRN scales cosines, and tables may be cut.",
            hostile ->
                hostile.rope((spec, kernel) ->
                    Kernels.calls(
                        kernel,
                        (right, x, table, first, w) ->
                            skippingPosition0(spec, right, x, table, first, w)))));
  }

  private static List<Hostile> swiGlu() {
    return List.of(
        row(
            "swiglu-in-place-known-by-the-object",
            "swiglu",
            "S4",
            "Sees y = up by the object only: in another view of it, squares what it wrote to y.",
            hostile ->
                hostile.swiGlu((spec, kernel) -> Kernels.calls(kernel, FacadeFaults::inTwoPasses))),
        row(
            "swiglu-adjoining-columns-taken-for-fused",
            "swiglu",
            "S1",
            "Takes gate and up that adjoin for a buffer of 2 * width, which may be wider.",
            hostile ->
                hostile.swiGlu((spec, kernel) -> Kernels.calls(kernel, FacadeFaults::fusedStride))),
        row(
            "swiglu-strides-of-16-bits",
            "swiglu",
            "S1",
            "Its descriptors hold 16 bits of an input's stride: gate, up and y of 70B take 86,016.",
            hostile ->
                hostile.swiGlu((spec, kernel) -> Kernels.calls(kernel, FacadeFaults::strides16))),
        row(
            "swiglu-one-row-to-the-end-of-its-segments",
            "swiglu",
            "P7",
            "Takes one row for flat vectors and runs to the end of the shortest of their segments.",
            hostile ->
                hostile.swiGlu((spec, kernel) ->
                    Kernels.calls(
                        kernel,
                        (right, gate, up, y, w) -> {
                          right.apply(gate, up, y, w);
                          if (gate.rows() == 1) {
                            goOn(gate, up, y);
                          }
                        }))),
        row(
            "swiglu-one-lock-for-all-calls",
            "swiglu",
            "P12",
            "Holds a lock of its provider's during a call: a second session's call can't begin.",
            hostile -> {
              ReentrantLock lock = new ReentrantLock();
              return hostile.swiGlu((spec, kernel) ->
                  Kernels.calls(
                      kernel, (right, gate, up, y, w) -> locked(lock, right, gate, up, y, w)));
            }));
  }

  // Specs.

  private static boolean isExact(LinearSpec spec) {
    return spec.tolerated().contains(Numerics.EXACT_F32);
  }

  private static boolean hasPlane(LinearSpec spec) {
    return !spec.weights().scalePlane().equals(ScalePlane.INLINE);
  }

  private static boolean isFloat(LinearSpec spec) {
    return spec.weights().blockElements() == 1 && !hasPlane(spec);
  }

  private static boolean isInt4(LinearSpec spec) {
    return spec.weights().scalePlane().equals(ScalePlane.BF16_PER_BLOCK);
  }

  private static boolean isSuperBlock(LinearSpec spec) {
    BlockFormat weights = spec.weights();
    return weights.equals(BlockFormat.Q4_K)
        || weights.equals(BlockFormat.Q5_K)
        || weights.equals(BlockFormat.Q6_K);
  }

  // Matrices.

  /// What a kernel reads that takes the rows of a matrix to be that many floats apart. Native code
  /// would go on behind the segment; here that reads as zeros.
  private static F32Matrix misread(F32Matrix m, int stride) {
    F32Matrix read = F32Matrix.allocate(Arena.ofAuto(), m.rows(), m.columns());
    for (int r = 0; r < m.rows(); r++) {
      copyWhatIsThere(
          m.data(),
          (long) r * stride * Float.BYTES,
          read.data(),
          read.offsetBytes(r, 0),
          (long) m.columns() * Float.BYTES);
    }
    return read;
  }

  /// A copy that ends where its source does.
  private static void copyWhatIsThere(
      MemorySegment from, long at, MemorySegment to, long toAt, long bytes) {
    long there = Math.clamp(from.byteSize() - at, 0L, bytes);
    if (there > 0) {
      MemorySegment.copy(from, at, to, toAt, there);
    }
  }

  private static F32Matrix dense(F32Matrix m) {
    return m.rowStrideFloats() == m.columns() ? m : new F32Matrix(m.data(), m.rows(), m.columns());
  }

  private static boolean sameStart(F32Matrix a, F32Matrix b) {
    return a.data().address() == b.data().address();
  }

  /// Whether the range of one matrix, its gaps included, reaches into that of another that begins
  /// elsewhere.
  private static boolean interleave(F32Matrix a, F32Matrix b) {
    long aEnd = a.data().address() + a.offsetBytes(a.rows() - 1, a.columns());
    long bEnd = b.data().address() + b.offsetBytes(b.rows() - 1, b.columns());
    return !sameStart(a, b) && a.data().address() < bEnd && b.data().address() < aEnd;
  }

  // Linear.

  private static void fromScratchEnd(LinearKernel right, F32Matrix x, F32Matrix y, Workspace w) {
    long declared = right.scratchBytes(x.rows(), w.workers().parallelism());
    long from = w.scratch().byteSize() - declared & -Workspace.SCRATCH_ALIGNMENT;
    right.apply(x, y, from == 0 ? w : new Workspace(w.scratch().asSlice(from), w.workers()));
  }

  private static void withStrideOfY(LinearKernel right, F32Matrix x, F32Matrix y, Workspace w) {
    boolean strides = x.rows() > 1 && x.rowStrideFloats() != y.rowStrideFloats();
    right.apply(strides ? misread(x, y.rowStrideFloats()) : x, y, w);
  }

  private static LinearPacker accumulatingFirstOnly(LinearPacker packer) {
    return (stacked, packed, workers) -> {
      int first = stacked.getFirst().outputs();
      return new Kernels.Linear(packer.pack(stacked, packed, workers)) {
        @Override
        public void apply(F32Matrix x, F32Matrix y, Workspace w) {
          // What the other matrices overwrite is lost before they add to it.
          for (int r = 0; r < y.rows(); r++) {
            for (int o = first; o < y.columns(); o++) {
              y.set(r, o, 0);
            }
          }
          right.apply(x, y, w);
        }
      };
    };
  }

  private static LinearPacker mergingNeighbours(LinearPacker packer) {
    return (stacked, packed, workers) -> {
      List<WeightMatrix> inFile =
          stacked.stream().sorted(comparingLong(m -> m.data().address())).toList();
      boolean adjoin = true;
      for (int i = 1; i < inFile.size(); i++) {
        MemorySegment before = inFile.get(i - 1).data();
        adjoin &= before.address() + before.byteSize() == inFile.get(i).data().address();
      }
      return packer.pack(adjoin ? inFile : stacked, packed, workers);
    };
  }

  private static LinearPacker flippingInPlace(LinearPacker packer) {
    return (stacked, packed, workers) -> {
      List<WeightMatrix> copies;
      stacked.forEach(m -> flip(m.data()));
      try {
        copies = stacked.stream().map(m -> Kernels.copy(m, packed)).toList();
      } finally {
        stacked.forEach(m -> flip(m.data()));
      }
      copies.forEach(m -> flip(m.data())); // the right kernel reads unsigned nibbles
      return new Kernels.Linear(packer.pack(copies, packed, workers)) {
        @Override
        public boolean retainsSource() {
          return false;
        }
      };
    };
  }

  private static void flip(MemorySegment nibbles) {
    for (long i = 0; i < nibbles.byteSize(); i++) {
      nibbles.set(JAVA_BYTE, i, (byte) (nibbles.get(JAVA_BYTE, i) ^ 0x88));
    }
  }

  /// The packer of int8 numerics, if the spec tolerates them beside exact ones and there is one.
  private static LinearPacker fastest(LinearSpec spec, LinearPacker packer) {
    Set<Numerics> rounded =
        spec.tolerated().stream()
            .filter(n -> !n.equals(Numerics.EXACT_F32))
            .collect(Collectors.toUnmodifiableSet());
    if (!isExact(spec) || rounded.isEmpty()) {
      return packer;
    }
    return switch (new ScalarProvider().linear(spec.withTolerated(rounded))) {
      case Offer.Accepted<LinearPacker> a -> a.kernel();
      case Offer.Declined<LinearPacker> _ -> packer;
    };
  }

  /// Packs nothing twice that lies at the same addresses.
  private static final class ByAddress extends Kernels.Packer {
    private final Map<List<Long>, LinearKernel> known = new ConcurrentHashMap<>();

    ByAddress(LinearPacker right) {
      super(Kernels.owning(right));
    }

    @Override
    public LinearKernel pack(List<WeightMatrix> stacked, SegmentAllocator packed, Workers workers) {
      List<Long> addresses = stacked.stream().map(m -> m.data().address()).toList();
      return known.computeIfAbsent(addresses, _ -> right.pack(stacked, packed, workers));
    }
  }

  /// Room for the kernels of one spec.
  private static final class Slots {
    private static final int COUNT = 64;

    private final AtomicInteger packed = new AtomicInteger();
    private final AtomicReferenceArray<LinearKernel> kernels = new AtomicReferenceArray<>(COUNT);

    int put(LinearKernel kernel) {
      int slot = packed.getAndIncrement() % COUNT;
      kernels.set(slot, kernel);
      return slot;
    }
  }

  /// Makes kernels that know their number and not their weights.
  private static final class InSlots extends Kernels.Packer {
    private final Slots slots;

    InSlots(LinearPacker right, Slots slots) {
      super(right);
      this.slots = slots;
    }

    @Override
    public LinearKernel pack(List<WeightMatrix> stacked, SegmentAllocator packed, Workers workers) {
      LinearKernel kernel = super.pack(stacked, packed, workers);
      int slot = slots.put(kernel);
      return new Kernels.Linear(kernel) {
        @Override
        public void apply(F32Matrix x, F32Matrix y, Workspace w) {
          slots.kernels.get(slot).apply(x, y, w);
        }
      };
    }
  }

  // Attention.

  private static void aligned128(
      AttentionKernel right, F32Matrix q, KvCache cache, int first, F32Matrix y, Workspace w) {
    if (w.scratch().address() % 128 == 0) {
      right.apply(q, cache, first, y, w);
      return;
    }
    long declared = right.scratchBytes(q.rows(), w.workers().parallelism());
    MemorySegment aligned = w.scratch().asSlice(Workspace.SCRATCH_ALIGNMENT);
    aligned.set(JAVA_LONG, declared - Long.BYTES, 0); // the last of the weights may be padding
    right.apply(q, cache, first, y, new Workspace(aligned, w.workers()));
  }

  private static KvCache byMaxPositions(AttentionSpec spec, KvCache cache) {
    if (cache.capacity() == spec.maxPositions() || spec.kvHeads() == 1) {
      return cache;
    }
    return new KvCache(
        byMaxPositions(spec, cache, cache.keys()),
        byMaxPositions(spec, cache, cache.values()),
        cache.format(),
        cache.capacity());
  }

  /// The plane as it is read; what would lie behind its end is zeros.
  private static MemorySegment byMaxPositions(
      AttentionSpec spec, KvCache cache, MemorySegment plane) {
    long positionBytes = (long) spec.headDim() * cache.format().elementBytes();
    long headBytes = cache.capacity() * positionBytes;
    MemorySegment read = Arena.ofAuto().allocate(plane.byteSize(), 64);
    for (int h = 0; h < spec.kvHeads(); h++) {
      long at = (long) h * spec.maxPositions() * positionBytes;
      copyWhatIsThere(plane, at, read, h * headBytes, headBytes);
    }
    return read;
  }

  private static KvCache keysFirst(KvCache cache) {
    MemorySegment values = cache.values();
    return values.address() + values.byteSize() == cache.keys().address()
        ? new KvCache(values, cache.keys(), cache.format(), cache.capacity())
        : cache;
  }

  private static AttentionKernel withUsualScale(AttentionSpec spec, AttentionKernel kernel) {
    int headDim = spec.headDim();
    float usual = (float) (1 / Math.sqrt(headDim));
    boolean usualHead = headDim == 64 || headDim == 128 || headDim == 256;
    if (!usualHead || Math.abs(spec.scale() / usual - 1) < 1e-5) {
      return kernel;
    }
    AttentionSpec builtIn =
        new AttentionSpec(
            spec.heads(), spec.kvHeads(), headDim, spec.maxPositions(), usual, spec.kv());
    return switch (new ScalarProvider().attention(builtIn)) {
      case Offer.Accepted<AttentionKernel> a -> a.kernel();
      case Offer.Declined<AttentionKernel> _ -> kernel;
    };
  }

  private static AttentionKernel appendingPlusZero(AttentionSpec spec, AttentionKernel kernel) {
    return Kernels.appends(
        kernel,
        (right, k, v, cache, position, w) -> {
          right.append(k, v, cache, position, w);
          for (int h = 0; h < spec.kvHeads(); h++) {
            long at = positionAt(spec, cache, h, position);
            long end = positionAt(spec, cache, h, position + k.rows());
            for (; at < end; at += Float.BYTES) {
              plusZero(cache.keys(), at);
              plusZero(cache.values(), at);
            }
          }
        });
  }

  private static void plusZero(MemorySegment plane, long at) {
    if (plane.get(JAVA_FLOAT, at) == 0) {
      plane.set(JAVA_FLOAT, at, 0f);
    }
  }

  /// Offset of a head's position in a plane of the cache.
  private static long positionAt(AttentionSpec spec, KvCache cache, int kvHead, int position) {
    long element = ((long) kvHead * cache.capacity() + position) * spec.headDim();
    return element * cache.format().elementBytes();
  }

  /// Keeps the keys of one position.
  private static final class LastKeys extends Kernels.Attention {
    private final AttentionSpec spec;
    private final long headBytes;
    private final MemorySegment kept;

    /// What the kept keys belong to; no position yet.
    private long plane;

    private int capacity;
    private int position = -1;

    LastKeys(AttentionSpec spec, AttentionKernel right) {
      super(right);
      this.spec = spec;
      this.headBytes = (long) spec.headDim() * spec.kv().elementBytes();
      this.kept = Arena.ofAuto().allocate(spec.kvHeads() * headBytes, 64);
    }

    @Override
    public void append(F32Matrix k, F32Matrix v, KvCache cache, int position, Workspace w) {
      right.append(k, v, cache, position, w);
      keep(cache, position + k.rows() - 1);
    }

    private synchronized void keep(KvCache cache, int last) {
      plane = cache.keys().address();
      capacity = cache.capacity();
      position = last;
      for (int h = 0; h < spec.kvHeads(); h++) {
        long at = positionAt(spec, cache, h, last);
        MemorySegment.copy(cache.keys(), at, kept, h * headBytes, headBytes);
      }
    }

    @Override
    public void apply(F32Matrix q, KvCache cache, int first, F32Matrix y, Workspace w) {
      right.apply(q, withKept(cache, first + q.rows()), first, y, w);
    }

    /// The cache as it is if it holds the kept keys, or they are not for its visible positions;
    /// else with them.
    private synchronized KvCache withKept(KvCache cache, int visible) {
      if (position < 0
          || position >= visible
          || capacity != cache.capacity()
          || plane != cache.keys().address()
          || holdsKept(cache)) {
        return cache;
      }
      MemorySegment keys = Arena.ofAuto().allocate(cache.keys().byteSize(), 64);
      keys.copyFrom(cache.keys());
      for (int h = 0; h < spec.kvHeads(); h++) {
        long at = positionAt(spec, cache, h, position);
        MemorySegment.copy(kept, h * headBytes, keys, at, headBytes);
      }
      return new KvCache(keys, cache.values(), cache.format(), capacity);
    }

    private boolean holdsKept(KvCache cache) {
      for (int h = 0; h < spec.kvHeads(); h++) {
        long at = positionAt(spec, cache, h, position);
        long from = h * headBytes;
        if (MemorySegment.mismatch(cache.keys(), at, at + headBytes, kept, from, from + headBytes)
            >= 0) {
          return false;
        }
      }
      return true;
    }
  }

  /// Makes room for zeros in the cache. What it takes away waits in the scratch:
  ///
  /// ```
  /// scratch of the right kernel | keys and values, [kvHead][position], of at most 15 positions
  /// ```
  private static final class WholeTiles extends Kernels.Attention {
    private static final int TILE = 16;

    private final AttentionSpec spec;

    WholeTiles(AttentionSpec spec, AttentionKernel right) {
      super(right);
      this.spec = spec;
    }

    @Override
    public long scratchBytes(int rows, int parallelism) {
      long bytes = 2 * spec.kvHeads() * (TILE - 1L) * spec.headDim() * Short.BYTES;
      return right.scratchBytes(rows, parallelism) + bytes;
    }

    @Override
    public void apply(F32Matrix q, KvCache cache, int first, F32Matrix y, Workspace w) {
      int visible = first + q.rows();
      int end = (int) Math.min(cache.capacity(), Math.ceilDiv(visible, TILE) * (long) TILE);
      if (end == visible) {
        right.apply(q, cache, first, y, w);
        return;
      }
      long stash = right.scratchBytes(q.rows(), w.workers().parallelism());
      move(cache, visible, end, w.scratch(), stash, true);
      try {
        right.apply(q, cache, first, y, w);
      } finally {
        move(cache, visible, end, w.scratch(), stash, false);
      }
    }

    /// Positions of the cache to the stash, which leaves zeros, or back.
    private void move(
        KvCache cache, int from, int to, MemorySegment scratch, long stash, boolean away) {
      long next = stash;
      for (int h = 0; h < spec.kvHeads(); h++) {
        long end = positionAt(spec, cache, h, to);
        for (long at = positionAt(spec, cache, h, from); at < end; at += Short.BYTES) {
          move(cache.keys(), at, scratch, next, away);
          move(cache.values(), at, scratch, next + Short.BYTES, away);
          next += 2 * Short.BYTES;
        }
      }
    }

    private static void move(
        MemorySegment plane, long at, MemorySegment scratch, long stash, boolean away) {
      if (away) {
        scratch.set(JAVA_SHORT, stash, plane.get(JAVA_SHORT, at));
      }
      plane.set(JAVA_SHORT, at, away ? 0 : scratch.get(JAVA_SHORT, stash));
    }
  }

  // RMSNorm.

  private static void denseInPlace(
      RmsNormKernel right, F32Matrix x, F32Matrix weight, F32Matrix y, Workspace w) {
    if (sameStart(x, y)) {
      F32Matrix dense = dense(x);
      right.apply(dense, weight, dense, w);
    } else {
      right.apply(x, weight, y, w);
    }
  }

  private static void stagedWeight(
      RmsNormKernel right, F32Matrix x, F32Matrix weight, F32Matrix y, Workspace w) {
    long bytes = (long) weight.columns() * Float.BYTES;
    if (w.scratch().byteSize() < bytes) {
      right.apply(x, weight, y, w);
      return;
    }
    MemorySegment.copy(weight.data(), 0, w.scratch(), 0, bytes);
    right.apply(x, new F32Matrix(w.scratch(), 1, weight.columns()), y, w);
  }

  /// Row by row where there is a row whose root is bounded.
  private static void withBoundedRoot(
      RmsNormKernel right, F32Matrix x, F32Matrix weight, F32Matrix y, Workspace w) {
    boolean bounded = false;
    for (int r = 0; r < x.rows(); r++) {
      bounded |= shrink(x, r) < 1;
    }
    if (!bounded) {
      right.apply(x, weight, y, w);
      return;
    }
    for (int r = 0; r < x.rows(); r++) {
      float shrink = shrink(x, r); // before y is written, which may be x
      right.apply(x.rowRange(r, r + 1), weight, y.rowRange(r, r + 1), w);
      for (int i = 0; shrink < 1 && i < y.columns(); i++) {
        y.set(r, i, y.get(r, i) * shrink);
      }
    }
  }

  /// What a bound of 1e6 makes of the root of a row, as a factor. Rows of zeros are none: their NaN
  /// is made of 0 and not of the root.
  private static float shrink(F32Matrix x, int row) {
    double sum = 0;
    for (int i = 0; i < x.columns(); i++) {
      double xi = x.get(row, i);
      sum += xi * xi;
    }
    double root = Math.sqrt(sum / x.columns());
    return root > 0 && root < 1e-6 ? (float) (root * 1e6) : 1;
  }

  // RoPE.

  /// Rotates what lies behind the heads of a row, up to the next row, as far as the segment goes.
  private static void rotateRestOfStride(RopeSpec spec, F32Matrix x, F32Matrix table, int first) {
    int more = x.rowStrideFloats() / spec.headDim() - spec.heads();
    if (more < 1) {
      return;
    }
    RopeKernel rest = scalar(new RopeSpec(more, spec.headDim(), spec.pairing()));
    for (int r = 0; r < x.rows(); r++) {
      long at = x.offsetBytes(r, x.columns());
      long bytes = (long) more * spec.headDim() * Float.BYTES;
      if (at + bytes <= x.data().byteSize()) {
        F32Matrix heads = new F32Matrix(x.data().asSlice(at, bytes), 1, more * spec.headDim());
        rest.apply(heads, table, first + r, SEQUENTIAL);
      }
    }
  }

  private static RopeKernel scalar(RopeSpec spec) {
    return ((Offer.Accepted<RopeKernel>) new ScalarProvider().rope(spec)).kernel();
  }

  private static void skippingPosition0(
      RopeSpec spec, RopeKernel right, F32Matrix x, F32Matrix table, int first, Workspace w) {
    if (first > 0 || isIdentity(spec, table)) {
      right.apply(x, table, first, w);
    } else if (x.rows() > 1) {
      right.apply(x.rowRange(1, x.rows()), table, 1, w);
    }
  }

  /// Whether the table's first row turns nothing: skipping it is right.
  private static boolean isIdentity(RopeSpec spec, F32Matrix table) {
    int pairs = spec.headDim() / 2;
    for (int j = 0; j < pairs; j++) {
      if (table.get(0, j) != 1 || table.get(0, pairs + j) != 0) {
        return false;
      }
    }
    return true;
  }

  // SwiGLU.

  /// First `y = silu(gate)`, then `y = y * up`, which is right unless y lies where up does.
  private static void inTwoPasses(
      SwiGluKernel right, F32Matrix gate, F32Matrix up, F32Matrix y, Workspace w) {
    if (!sameStart(y, up) || y == up) {
      right.apply(gate, up, y, w);
      return;
    }
    for (int r = 0; r < y.rows(); r++) {
      for (int i = 0; i < y.columns(); i++) {
        double silu = silu(gate.get(r, i));
        y.set(r, i, (float) (silu * silu));
      }
    }
  }

  private static double silu(double g) {
    return g / (1 + Math.exp(-g));
  }

  private static void fusedStride(
      SwiGluKernel right, F32Matrix gate, F32Matrix up, F32Matrix y, Workspace w) {
    int width = gate.columns();
    boolean adjoin = up.data().address() - gate.data().address() == (long) width * Float.BYTES;
    boolean wider = gate.rowStrideFloats() != 2 * width || up.rowStrideFloats() != 2 * width;
    if (gate.rows() > 1 && adjoin && wider) {
      right.apply(misread(gate, 2 * width), misread(up, 2 * width), y, w);
    } else {
      right.apply(gate, up, y, w);
    }
  }

  private static void strides16(
      SwiGluKernel right, F32Matrix gate, F32Matrix up, F32Matrix y, Workspace w) {
    right.apply(stride16(gate), stride16(up), y, w);
  }

  private static F32Matrix stride16(F32Matrix m) {
    int stride = m.rowStrideFloats() & 0xFFFF;
    return m.rows() == 1 || stride == m.rowStrideFloats() ? m : misread(m, stride);
  }

  /// The elements from the end of the row to the end of the shortest segment.
  private static void goOn(F32Matrix gate, F32Matrix up, F32Matrix y) {
    long end =
        Math.min(y.data().byteSize(), Math.min(gate.data().byteSize(), up.data().byteSize()));
    for (long at = y.offsetBytes(0, y.columns()); at <= end - Float.BYTES; at += Float.BYTES) {
      double silu = silu(gate.data().get(JAVA_FLOAT, at));
      y.data().set(JAVA_FLOAT, at, (float) (silu * up.data().get(JAVA_FLOAT, at)));
    }
  }

  private static void locked(
      ReentrantLock lock,
      SwiGluKernel right,
      F32Matrix gate,
      F32Matrix up,
      F32Matrix y,
      Workspace w) {
    try {
      lock.lockInterruptibly(); // so that a test can end a wait without end
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while another call had the lock", e);
    }
    try {
      right.apply(gate, up, y, w);
    } finally {
      lock.unlock();
    }
  }
}

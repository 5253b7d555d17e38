package dev.quern.conformance.hostile;

import static dev.quern.conformance.hostile.Kernels.same;
import static dev.quern.conformance.hostile.Kernels.squares;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.quern.data.Bf16;
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
import dev.quern.op.Kernel;
import dev.quern.op.LinearKernel;
import dev.quern.op.LinearPacker;
import dev.quern.op.LinearSpec;
import dev.quern.op.RmsNormKernel;
import dev.quern.op.RmsNormSpec;
import dev.quern.op.RopeKernel;
import dev.quern.op.RopePairing;
import dev.quern.op.RopeSpec;
import dev.quern.op.SwiGluKernel;
import dev.quern.op.SwiGluSpec;
import dev.quern.provider.scalar.ScalarProvider;
import dev.quern.spi.Offer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;

/// Providers that touch memory that is not their own, or keep their own where they must not.
///
/// Most give the right results: what is wrong is where they read and write. A temporary change of
/// an operand is made before the right kernel runs, which reads a copy in scratch, and undone when
/// it has ended, so it can be seen from the workers and from other threads. Nothing here writes
/// past the end of a segment that it was given, and what is read past one is a few bytes: only a
/// guard page, or memory that can't be written, lets such a fault kill a JVM.
final class MemoryFaults {
  /// Bytes of a cache line, and of a vector.
  private static final int LINE = 64;

  /// Marks a header in scratch.
  private static final long MAGIC = 0x51C3_A7E9_0D5B_F286L;

  private static final Set<BlockFormat> HALVES = Set.of(BlockFormat.F16, BlockFormat.BF16);

  /// Where what is read in vain goes, so that it is read.
  private static volatile double sink;

  private MemoryFaults() {}

  static List<Hostile> all() {
    return Stream.of(packing(), linear(), attention(), rmsNorm(), rope(), swiGlu())
        .flatMap(List::stream)
        .toList();
  }

  private static List<Hostile> packing() {
    return List.of(
        row(
            "linear-q4-0-source-flipped-while-packing",
            "linear",
            "P8",
            "Q4_0 from 1,024 outputs on: pack flips nibbles in the source, copies, and flips back",
            hostile -> hostile.linear(MemoryFaults::sourceFlippedWhilePacking)),
        row(
            "linear-source-read-at-the-first-call",
            "linear",
            "P16",
            "from 4 Mi weights on pack only allocates: the first call copies the disowned source",
            hostile -> hostile.linear(MemoryFaults::packedAtTheFirstCall)),
        row(
            "linear-tail-of-a-stacks-last-matrix-not-copied",
            "linear",
            "P16",
            "of three stacked matrices the last one's rows past tiles of 48 stay in the source",
            hostile -> hostile.linear(MemoryFaults::tailOfAStackNotCopied)),
        row(
            "linear-int4-large-scale-plane-not-copied",
            "linear",
            "P16",
            "INT4 scale planes from 256 KiB on are read in the source: only nibbles are packed",
            hostile -> hostile.linear(MemoryFaults::largeScalePlaneNotCopied)),
        row(
            "linear-int8-scales-on-the-java-heap",
            "linear",
            "P16",
            "INT8_C from 1,024 outputs on: scales go to a float[], not to the allocator's memory",
            hostile -> hostile.linear(MemoryFaults::scalesOnTheJavaHeap)),
        row(
            "linear-large-matrices-in-an-arena-of-their-own",
            "linear",
            "P16",
            "matrices from 2 MiB on are packed to an arena of the provider's, for huge pages",
            hostile -> hostile.linear(MemoryFaults::largeMatricesInAnArenaOfTheirOwn)),
        row(
            "linear-q6-k-packed-memory-over-read",
            "linear",
            "P7",
            "Q6_K, one row, 4,096 inputs: the last block of 210 bytes is read as 7 vectors of 32",
            hostile -> hostile.linear(MemoryFaults::lastBlockOverRead)));
  }

  private static List<Hostile> linear() {
    return List.of(
        row(
            "linear-q8-0-weights-biased-in-place",
            "linear",
            "P8",
            "Q8_0 from 32 rows on: weights are made unsigned in place, and put back at the end",
            hostile -> hostile.linear(MemoryFaults::weightsBiasedInPlace)),
        row(
            "linear-x-rounded-to-bf16-in-place",
            "linear",
            "P8",
            "F16 and BF16 from 32 rows on: x is rounded to BF16 in place for tiles, and put back",
            hostile -> hostile.linear(MemoryFaults::activationsRoundedInPlace)),
        row(
            "linear-whole-tile-stored-to-the-gap-of-y",
            "linear",
            "L3",
            "a tile of 16 columns is stored whole where y's stride leaves a gap of 64 floats",
            hostile -> hostile.linear(MemoryFaults::wholeTileStoredToTheGap)),
        row(
            "linear-y-times-beta-zero",
            "linear",
            "P9",
            "from 128 rows on the last 64 columns are 0 * y + x·W, as a BLAS may: NaN in y stays",
            hostile -> hostile.linear(MemoryFaults::yTimesZero)),
        row(
            "linear-nan-of-the-residual-dropped",
            "linear",
            "L5",
            "floats from 4,096 outputs on: y passes MAXPS before it is added to: NaN becomes 0",
            hostile -> hostile.linear(MemoryFaults::nanOfTheResidualDropped)),
        row(
            "linear-residual-clamped-to-f16",
            "linear",
            "L5",
            "one row from 4,096 inputs on: what y held is clamped to F16's range, then added to",
            hostile -> hostile.linear(MemoryFaults::residualClampedToF16)),
        row(
            "linear-scratch-for-16-workers",
            "linear",
            "P10",
            "scratch has slots for 16 workers; those of more lie behind what was asked for",
            hostile -> hostile.linear(MemoryFaults::slotsFor16Workers)));
  }

  private static List<Hostile> attention() {
    return List.of(
        row(
            "attention-q-scaled-in-place",
            "attention",
            "P8",
            "from 64 rows on q is scaled in place, as native code can do it, and put back",
            hostile -> hostile.attention(MemoryFaults::queriesScaledInPlace)),
        row(
            "attention-later-keys-zeroed-and-put-back",
            "attention",
            "P8",
            "from position 1,024 on apply fills the last tile of 16 keys with zeros, and puts back",
            hostile -> hostile.attention(MemoryFaults::laterKeysZeroed)),
        row(
            "attention-append-past-the-last-position",
            "attention",
            "A3",
            "a head's last position is stored as whole lines: the next head's first one is lost",
            hostile -> hostile.attention(MemoryFaults::lastPositionStoredAsWholeLines)),
        row(
            "attention-scratch-negative-for-many-workers",
            "attention",
            "P10",
            "bytes of scores are an int: negative for 64 heads, 131,072 positions, 64 workers",
            hostile -> hostile.attention(MemoryFaults::scratchOverflowsAnInt)),
        row(
            "attention-scratch-shrinks-at-33-workers",
            "attention",
            "P10",
            "beyond 32 workers the caller runs alone, and asks for the scratch of one",
            hostile -> hostile.attention(MemoryFaults::aloneFrom33Workers)),
        row(
            "attention-java-heap-above-8192-positions",
            "attention",
            "P14",
            "scores of more than 8,192 positions go to a float[] that each call allocates",
            hostile -> hostile.attention(MemoryFaults::scoresOnTheJavaHeap)),
        row(
            "attention-keys-read-past-the-last-head",
            "attention",
            "P7",
            "the next key is loaded ahead: in a full cache, the last head's lies behind its end",
            hostile -> hostile.attention(MemoryFaults::keysReadPastTheLastHead)),
        row(
            "attention-y-cleared-with-its-gaps",
            "attention",
            "P7",
            "from 128 rows on one memset clears y from its first row to its last, gaps and all",
            hostile -> hostile.attention(MemoryFaults::gapsCleared)),
        row(
            "attention-later-values-times-zero",
            "attention",
            "A1",
            "from position 1,024 on values come by eights, later ones times 0: their NaN gets out",
            hostile -> hostile.attention(MemoryFaults::laterValuesTimesZero)));
  }

  private static List<Hostile> rmsNorm() {
    return List.of(
        row(
            "rmsnorm-weight-scaled-in-place",
            "rmsnorm",
            "P8",
            "from width 4,096 on the weight is scaled in place, as native code can, and put back",
            hostile -> hostile.rmsNorm(MemoryFaults::weightScaledInPlace)),
        row(
            "rmsnorm-short-gap-taken-for-zeros",
            "rmsnorm",
            "P7",
            "from width 2,048 on a gap below 64 floats is taken for zeros and squared with its row",
            hostile -> hostile.rmsNorm(MemoryFaults::gapTakenForZeros)),
        row(
            "rmsnorm-scratch-shrinks-at-700-rows",
            "rmsnorm",
            "P10",
            "a double for each row up to 699 rows, then one for each worker: 700 rows ask for less",
            hostile -> hostile.rmsNorm(MemoryFaults::scratchOfWorkersFrom700Rows)),
        row(
            "rmsnorm-rows-below-y-cleared",
            "rmsnorm",
            "P7",
            "from 33 rows on rows come by fours: y is written past its last if its data goes on",
            hostile -> hostile.rmsNorm(MemoryFaults::rowsBelowCleared)));
  }

  private static List<Hostile> rope() {
    return List.of(
        row(
            "rope-sines-negated-in-place",
            "rope",
            "P8",
            "HALF_SPLIT from 8 rows on: sines are negated in place for an FMA, and put back",
            hostile -> hostile.rope(MemoryFaults::sinesNegatedInPlace)),
        row(
            "rope-first-table-kept",
            "rope",
            "P15",
            "the first table of 4,096 positions or more is kept, and used in place of later ones",
            hostile -> hostile.rope(MemoryFaults::firstTableKept)),
        row(
            "rope-angles-in-scratch-trusted",
            "rope",
            "P9",
            "from 16 rows on the angles copied to scratch serve the next call at that position",
            hostile -> hostile.rope(MemoryFaults::anglesInScratchTrusted)),
        row(
            "rope-heads-rotated-by-fours",
            "rope",
            "R5",
            "from 8 rows on heads come by fours where the stride has room: K's tail turns V",
            hostile -> hostile.rope(MemoryFaults::headsRotatedByFours)));
  }

  private static List<Hostile> swiGlu() {
    return List.of(
        row(
            "swiglu-gate-negated-in-place",
            "swiglu",
            "P8",
            "from 16 rows on the gate is negated in place for exp, and put back when y is written",
            hostile -> hostile.swiGlu(MemoryFaults::gateNegatedInPlace)),
        row(
            "swiglu-one-pass-over-gaps",
            "swiglu",
            "P7",
            "16 rows of 1,024 with equal strides and gaps to 32 floats are one pass, over y's gaps",
            hostile -> hostile.swiGlu(MemoryFaults::onePassOverGaps)),
        row(
            "swiglu-underflow-not-stored",
            "swiglu",
            "P9",
            "from column 8,192 on a masked store leaves y as it was where exp(-gate) overflows",
            hostile -> hostile.swiGlu(MemoryFaults::underflowNotStored)),
        row(
            "swiglu-scratch-for-512-rows",
            "swiglu",
            "P10",
            "scratch has 8 bytes for each of 512 rows; those of more are behind what was asked for",
            hostile -> hostile.swiGlu(MemoryFaults::scratchFor512Rows)));
  }

  private static Hostile row(
      String id,
      String operator,
      String rule,
      String sentence,
      Function<HostileProvider, HostileProvider> fault) {
    return new Hostile(id, Kind.MEMORY, operator, rule, sentence, fault);
  }

  // Packing.

  /// As ggml's repacking does it, but in place.
  private static LinearPacker sourceFlippedWhilePacking(LinearSpec spec, LinearPacker packer) {
    if (!spec.weights().equals(BlockFormat.Q4_0) || spec.outputs() < 1024) {
      return Kernels.owning(packer);
    }
    return (stacked, packed, workers) -> {
      List<WeightMatrix> own = room(stacked, packed);
      // One pack at a time: two that flip the same source would damage it for good.
      synchronized (MemoryFaults.class) {
        stacked.forEach(m -> flipNibbles(m.data()));
        try {
          workers.run(own.size(), (task, _) -> fill(own.get(task), stacked.get(task)));
        } finally {
          stacked.forEach(m -> flipNibbles(m.data()));
        }
      }
      own.forEach(m -> flipNibbles(m.data())); // the scalar kernel wants them as they were
      return released(packer, own, packed, workers);
    };
  }

  /// 0 .. 15 to the two's complement of -8 .. 7 in all nibbles of Q4_0, or back.
  private static void flipNibbles(MemorySegment q40) {
    int blockBytes = BlockFormat.Q4_0.blockBytes();
    for (long block = 0; block < q40.byteSize(); block += blockBytes) {
      for (long at = block + 2; at < block + blockBytes; at++) {
        q40.set(JAVA_BYTE, at, (byte) (q40.get(JAVA_BYTE, at) ^ 0x88));
      }
    }
  }

  private static LinearPacker packedAtTheFirstCall(LinearSpec spec, LinearPacker packer) {
    if ((long) spec.outputs() * spec.inputs() < 1 << 22) {
      return Kernels.owning(packer);
    }
    return (stacked, packed, workers) -> {
      List<WeightMatrix> own = room(stacked, packed);
      return new Kernels.Linear(packer.pack(own, packed, workers)) {
        private volatile boolean filled;

        @Override
        public boolean retainsSource() {
          return false;
        }

        @Override
        public void apply(F32Matrix x, F32Matrix y, Workspace w) {
          if (!filled) {
            fillOnce();
          }
          right.apply(x, y, w);
        }

        private synchronized void fillOnce() {
          for (int i = 0; i < own.size() && !filled; i++) {
            fill(own.get(i), stacked.get(i));
          }
          filled = true;
        }
      };
    };
  }

  private static LinearPacker tailOfAStackNotCopied(LinearSpec spec, LinearPacker packer) {
    return (stacked, packed, workers) -> {
      WeightMatrix last = stacked.getLast();
      int whole = last.outputs() - last.outputs() % 48;
      if (stacked.size() < 3 || whole == 0 || whole == last.outputs()) {
        return Kernels.owning(packer).pack(stacked, packed, workers);
      }
      List<WeightMatrix> own = new ArrayList<>();
      stacked.subList(0, stacked.size() - 1).forEach(m -> own.add(Kernels.copy(m, packed)));
      own.add(Kernels.copy(outputs(last, 0, whole), packed));
      own.add(outputs(last, whole, last.outputs()));
      return released(packer, own, packed, workers);
    };
  }

  private static LinearPacker largeScalePlaneNotCopied(LinearSpec spec, LinearPacker packer) {
    if (!spec.weights().scalePlane().equals(ScalePlane.BF16_PER_BLOCK)) {
      return Kernels.owning(packer);
    }
    return (stacked, packed, workers) -> {
      List<WeightMatrix> own = new ArrayList<>();
      for (WeightMatrix m : stacked) {
        WeightMatrix copy = Kernels.copy(m, packed);
        own.add(m.scales().byteSize() < 256 << 10 ? copy : withScales(copy, m.scales()));
      }
      return released(packer, own, packed, workers);
    };
  }

  private static LinearPacker scalesOnTheJavaHeap(LinearSpec spec, LinearPacker packer) {
    if (!spec.weights().equals(BlockFormat.INT8_C) || spec.outputs() < 1024) {
      return Kernels.owning(packer);
    }
    return (stacked, packed, workers) -> {
      List<WeightMatrix> own = new ArrayList<>();
      for (WeightMatrix m : stacked) {
        MemorySegment data = packed.allocate(m.data().byteSize(), LINE).copyFrom(m.data());
        MemorySegment scales = MemorySegment.ofArray(new float[m.outputs()]).copyFrom(m.scales());
        own.add(new WeightMatrix(m.format(), data, scales, m.outputs(), m.inputs()));
      }
      return released(packer, own, packed, workers);
    };
  }

  private static LinearPacker largeMatricesInAnArenaOfTheirOwn(
      LinearSpec spec, LinearPacker packer) {
    return (stacked, packed, workers) -> {
      List<WeightMatrix> own = new ArrayList<>();
      for (WeightMatrix m : stacked) {
        boolean large = m.data().byteSize() >= 2 << 20;
        own.add(Kernels.copy(m, large ? Arena.ofAuto() : packed));
      }
      return released(packer, own, packed, workers);
    };
  }

  /// The last 14 of 7 * 32 bytes are not the block's. In packed memory only the caller knows what
  /// is there.
  private static LinearPacker lastBlockOverRead(LinearSpec spec, LinearPacker packer) {
    if (!spec.weights().equals(BlockFormat.Q6_K) || spec.inputs() < 4096) {
      return Kernels.owning(packer);
    }
    return (stacked, packed, workers) -> {
      List<WeightMatrix> own = stacked.stream().map(m -> Kernels.copy(m, packed)).toList();
      MemorySegment last = own.getLast().data();
      return new Kernels.Linear(released(packer, own, packed, workers)) {
        @Override
        public void apply(F32Matrix x, F32Matrix y, Workspace w) {
          right.apply(x, y, w);
          if (x.rows() == 1) {
            readPast(last, 14);
          }
        }
      };
    };
  }

  /// A kernel over matrices that are its own, as far as it says.
  private static LinearKernel released(
      LinearPacker packer, List<WeightMatrix> own, SegmentAllocator packed, Workers workers) {
    return new Kernels.Linear(packer.pack(own, packed, workers)) {
      @Override
      public boolean retainsSource() {
        return false;
      }
    };
  }

  /// Memory for copies, with nothing in it yet.
  private static List<WeightMatrix> room(List<WeightMatrix> stacked, SegmentAllocator packed) {
    List<WeightMatrix> own = new ArrayList<>();
    for (WeightMatrix m : stacked) {
      MemorySegment data = packed.allocate(m.data().byteSize(), LINE);
      long scaleBytes = m.scales().byteSize();
      MemorySegment scales = scaleBytes == 0 ? m.scales() : packed.allocate(scaleBytes, LINE);
      own.add(new WeightMatrix(m.format(), data, scales, m.outputs(), m.inputs()));
    }
    return own;
  }

  private static void fill(WeightMatrix own, WeightMatrix source) {
    own.data().copyFrom(source.data());
    own.scales().copyFrom(source.scales());
  }

  private static WeightMatrix withScales(WeightMatrix m, MemorySegment scales) {
    return new WeightMatrix(m.format(), m.data(), scales, m.outputs(), m.inputs());
  }

  /// Rows from (inclusive) to end (exclusive) of a weight matrix, where they lie.
  private static WeightMatrix outputs(WeightMatrix m, int from, int end) {
    int outputs = end - from;
    long rowBytes = m.format().rowBytes(m.inputs());
    long scaleBytes = m.format().scalePlane().bytes(1, m.format().blocksPerRow(m.inputs()));
    return new WeightMatrix(
        m.format(),
        m.data().asSlice(from * rowBytes, outputs * rowBytes),
        m.scales().asSlice(from * scaleBytes, outputs * scaleBytes),
        outputs,
        m.inputs());
  }

  // Linear.

  /// Unsigned times signed bytes is what AVX2 and VNNI multiply. The right kernel reads a copy,
  /// which is also where the source comes back from: so calls that overlap leave it whole.
  private static LinearPacker weightsBiasedInPlace(LinearSpec spec, LinearPacker packer) {
    if (!spec.weights().equals(BlockFormat.Q8_0)) {
      return packer;
    }
    return (stacked, packed, workers) -> {
      List<WeightMatrix> own = stacked.stream().map(m -> Kernels.copy(m, packed)).toList();
      return new Kernels.Linear(packer.pack(own, packed, workers)) {
        @Override
        public void apply(F32Matrix x, F32Matrix y, Workspace w) {
          if (x.rows() < 32) {
            right.apply(x, y, w);
            return;
          }
          try {
            for (int i = 0; i < own.size(); i++) {
              bias(stacked.get(i).data(), own.get(i).data());
            }
            right.apply(x, y, w);
          } finally {
            for (int i = 0; i < own.size(); i++) {
              stacked.get(i).data().copyFrom(own.get(i).data());
            }
          }
        }
      };
    };
  }

  /// Sets the weights of Q8_0 blocks to those of others, plus 128.
  private static void bias(MemorySegment to, MemorySegment from) {
    int blockBytes = BlockFormat.Q8_0.blockBytes();
    for (long block = 0; block < from.byteSize(); block += blockBytes) {
      for (long at = block + 2; at < block + blockBytes; at++) {
        to.set(JAVA_BYTE, at, (byte) (from.get(JAVA_BYTE, at) ^ 0x80));
      }
    }
  }

  private static LinearPacker activationsRoundedInPlace(LinearSpec spec, LinearPacker packer) {
    if (!HALVES.contains(spec.weights())) {
      return packer;
    }
    return (stacked, packed, workers) ->
        new Kernels.Linear(packer.pack(stacked, packed, workers)) {
          @Override
          public long scratchBytes(int rows, int parallelism) {
            return behind(right, rows, parallelism) + floats(rows, spec.inputs());
          }

          @Override
          public void apply(F32Matrix x, F32Matrix y, Workspace w) {
            if (x.rows() < 32) {
              right.apply(x, y, w);
              return;
            }
            F32Matrix saved = saved(x, w, behind(right, x.rows(), w));
            for (int r = 0; r < x.rows(); r++) {
              for (int i = 0; i < x.columns(); i++) {
                x.set(r, i, Bf16.toFloat(Bf16.fromFloat(x.get(r, i))));
              }
            }
            try {
              right.apply(saved, y, w);
            } finally {
              Kernels.copyInto(saved, x);
            }
          }
        };
  }

  /// The last row has no gap that a kernel may count on, so its store is masked.
  private static LinearPacker wholeTileStoredToTheGap(LinearSpec spec, LinearPacker packer) {
    return Kernels.calls(
        packer,
        (right, x, y, w) -> {
          right.apply(x, y, w);
          if (gap(y) >= 64) {
            for (int r = 0; r < y.rows() - 1; r++) {
              clear(y, r, y.columns(), roundUp(y.columns(), 16));
            }
          }
        });
  }

  private static LinearPacker yTimesZero(LinearSpec spec, LinearPacker packer) {
    if (spec.accumulate()) {
      return packer;
    }
    int from = (spec.outputs() - 1) / 64 * 64;
    int n = spec.outputs() - from;
    return (stacked, packed, workers) ->
        new Kernels.Linear(packer.pack(stacked, packed, workers)) {
          @Override
          public long scratchBytes(int rows, int parallelism) {
            return behind(right, rows, parallelism) + floats(rows, n);
          }

          @Override
          public void apply(F32Matrix x, F32Matrix y, Workspace w) {
            if (x.rows() < 128) {
              right.apply(x, y, w);
              return;
            }
            F32Matrix tile = y.columnRange(from, from + n);
            F32Matrix before = saved(tile, w, behind(right, x.rows(), w));
            right.apply(x, y, w);
            for (int r = 0; r < tile.rows(); r++) {
              for (int o = 0; o < n; o++) {
                if (!Float.isFinite(before.get(r, o))) {
                  tile.set(r, o, Float.NaN); // 0 times what was there
                }
              }
            }
          }
        };
  }

  /// MAXPS gives its second operand where the first is NaN: here a zero.
  private static LinearPacker nanOfTheResidualDropped(LinearSpec spec, LinearPacker packer) {
    boolean floats = HALVES.contains(spec.weights()) || spec.weights().equals(BlockFormat.F32);
    if (!spec.accumulate() || !floats || spec.outputs() < 4096) {
      return packer;
    }
    return Kernels.calls(
        packer,
        (right, x, y, w) -> {
          for (int r = 0; r < y.rows(); r++) {
            for (int o = 0; o < y.columns(); o++) {
              if (Float.isNaN(y.get(r, o))) {
                y.set(r, o, 0);
              }
            }
          }
          right.apply(x, y, w);
        });
  }

  private static LinearPacker residualClampedToF16(LinearSpec spec, LinearPacker packer) {
    if (!spec.accumulate() || spec.inputs() < 4096) {
      return packer;
    }
    return Kernels.calls(
        packer,
        (right, x, y, w) -> {
          if (x.rows() == 1) {
            for (int o = 0; o < y.columns(); o++) {
              y.set(0, o, Math.min(65504f, Math.max(-65504f, y.get(0, o))));
            }
          }
          right.apply(x, y, w);
        });
  }

  private static LinearPacker slotsFor16Workers(LinearSpec spec, LinearPacker packer) {
    return (stacked, packed, workers) ->
        new Kernels.Linear(packer.pack(stacked, packed, workers)) {
          @Override
          public long scratchBytes(int rows, int parallelism) {
            return behind(right, rows, parallelism) + (long) LINE * Math.min(parallelism, 16);
          }

          @Override
          public void apply(F32Matrix x, F32Matrix y, Workspace w) {
            zero(w.scratch(), behind(right, x.rows(), w), LINE * w.workers().parallelism());
            right.apply(x, y, w);
          }
        };
  }

  // Attention.

  /// Through an address and not through the segment, which may be read-only to Java.
  private static AttentionKernel queriesScaledInPlace(AttentionSpec spec, AttentionKernel kernel) {
    return new Kernels.Attention(kernel) {
      @Override
      public long scratchBytes(int rows, int parallelism) {
        return behind(right, rows, parallelism) + floats(rows, spec.heads() * spec.headDim());
      }

      @Override
      public void apply(F32Matrix q, KvCache cache, int first, F32Matrix y, Workspace w) {
        if (q.rows() < 64) {
          right.apply(q, cache, first, y, w);
          return;
        }
        F32Matrix saved = saved(q, w, behind(right, q.rows(), w));
        F32Matrix queries = raw(q);
        scale(queries, spec.scale());
        try {
          right.apply(saved, cache, first, y, w);
        } finally {
          Kernels.copyInto(saved, queries);
        }
      }
    };
  }

  private static AttentionKernel laterKeysZeroed(AttentionSpec spec, AttentionKernel kernel) {
    return new Kernels.Attention(kernel) {
      @Override
      public long scratchBytes(int rows, int parallelism) {
        return behind(right, rows, parallelism) + spec.kvHeads() * 15 * positionBytes(spec);
      }

      @Override
      public void apply(F32Matrix q, KvCache cache, int first, F32Matrix y, Workspace w) {
        int end = first + q.rows();
        int padded = Math.min(cache.capacity(), roundUp(end, 16));
        if (end < 1024 || padded == end) {
          right.apply(q, cache, first, y, w);
          return;
        }
        MemorySegment keys = cache.keys();
        long bytes = (padded - end) * positionBytes(spec);
        long saved = behind(right, q.rows(), w);
        for (int h = 0; h < spec.kvHeads(); h++) {
          long at = positionAt(spec, cache, h, end);
          MemorySegment.copy(keys, at, w.scratch(), saved + h * bytes, bytes);
          zero(keys, at, bytes);
        }
        try {
          right.apply(q, cache, first, y, w);
        } finally {
          for (int h = 0; h < spec.kvHeads(); h++) {
            long at = positionAt(spec, cache, h, end);
            MemorySegment.copy(w.scratch(), saved + h * bytes, keys, at, bytes);
          }
        }
      }
    };
  }

  /// Within a head the next position is written later and hides it, and behind the last head there
  /// is nothing that may be written.
  private static AttentionKernel lastPositionStoredAsWholeLines(
      AttentionSpec spec, AttentionKernel kernel) {
    long rest = -positionBytes(spec) & LINE - 1;
    if (spec.headDim() < 64 || rest == 0) {
      return kernel;
    }
    return Kernels.appends(
        kernel,
        (right, k, v, cache, position, w) -> {
          right.append(k, v, cache, position, w);
          if (position + k.rows() == cache.capacity()) {
            for (int h = 1; h < spec.kvHeads(); h++) {
              zero(cache.keys(), positionAt(spec, cache, h, 0), rest);
              zero(cache.values(), positionAt(spec, cache, h, 0), rest);
            }
          }
        });
  }

  private static AttentionKernel scratchOverflowsAnInt(AttentionSpec spec, AttentionKernel kernel) {
    return new Kernels.Attention(kernel) {
      @Override
      public long scratchBytes(int rows, int parallelism) {
        int scores = spec.heads() * spec.maxPositions() * Float.BYTES * parallelism;
        return right.scratchBytes(rows, parallelism) + scores;
      }
    };
  }

  private static AttentionKernel aloneFrom33Workers(AttentionSpec spec, AttentionKernel kernel) {
    return new Kernels.Attention(kernel) {
      @Override
      public long scratchBytes(int rows, int parallelism) {
        return right.scratchBytes(rows, parallelism > 32 ? 1 : parallelism);
      }

      @Override
      public void append(F32Matrix k, F32Matrix v, KvCache cache, int position, Workspace w) {
        right.append(k, v, cache, position, limited(w));
      }

      @Override
      public void apply(F32Matrix q, KvCache cache, int first, F32Matrix y, Workspace w) {
        right.apply(q, cache, first, y, limited(w));
      }

      private Workspace limited(Workspace w) {
        return w.workers().parallelism() > 32
            ? new Workspace(w.scratch(), Workers.sequential())
            : w;
      }
    };
  }

  private static AttentionKernel scoresOnTheJavaHeap(AttentionSpec spec, AttentionKernel kernel) {
    return Kernels.applies(
        kernel,
        (right, q, cache, first, y, w) -> {
          int visible = first + q.rows();
          if (visible > 8192) {
            float[] scores = new float[visible];
            Arrays.fill(scores, Float.NEGATIVE_INFINITY);
            sink = scores[first];
          }
          right.apply(q, cache, first, y, w);
        });
  }

  private static AttentionKernel keysReadPastTheLastHead(
      AttentionSpec spec, AttentionKernel kernel) {
    int ahead = (int) Math.min(16, positionBytes(spec));
    return Kernels.applies(
        kernel,
        (right, q, cache, first, y, w) -> {
          right.apply(q, cache, first, y, w);
          if (first + q.rows() == cache.capacity()) {
            readPast(cache.keys(), ahead);
          }
        });
  }

  private static AttentionKernel gapsCleared(AttentionSpec spec, AttentionKernel kernel) {
    return Kernels.applies(
        kernel,
        (right, q, cache, first, y, w) -> {
          for (int r = 0; r < y.rows() - 1 && y.rows() >= 128; r++) {
            clear(y, r, y.columns(), y.rowStrideFloats());
          }
          right.apply(q, cache, first, y, w);
        });
  }

  private static AttentionKernel laterValuesTimesZero(AttentionSpec spec, AttentionKernel kernel) {
    return Kernels.applies(
        kernel,
        (right, q, cache, first, y, w) -> {
          right.apply(q, cache, first, y, w);
          for (int r = Math.max(0, 1023 - first); r < q.rows(); r++) {
            int end = Math.min(cache.capacity(), roundUp(first + r + 1, 8));
            for (int t = first + r + 1; t < end; t++) {
              addZeroTimesValue(spec, cache, t, y, r);
            }
          }
        });
  }

  /// NaN where the value at a position is not finite, in all query heads of a row.
  private static void addZeroTimesValue(
      AttentionSpec spec, KvCache cache, int position, F32Matrix y, int row) {
    int headDim = spec.headDim();
    int group = spec.heads() / spec.kvHeads();
    for (int kv = 0; kv < spec.kvHeads(); kv++) {
      long at = positionAt(spec, cache, kv, position);
      for (int d = 0; d < headDim; d++) {
        if (!Float.isFinite(value(cache, at, d))) {
          for (int h = kv * group; h < (kv + 1) * group; h++) {
            y.set(row, h * headDim + d, Float.NaN);
          }
        }
      }
    }
  }

  /// Element d of the values that begin at an offset.
  private static float value(KvCache cache, long at, int d) {
    return cache.format().equals(KvFormat.F16)
        ? Float.float16ToFloat(cache.values().get(JAVA_SHORT, at + 2L * d))
        : cache.values().get(JAVA_FLOAT, at + 4L * d);
  }

  /// Byte offset of a position of a KV head in a plane of the cache.
  private static long positionAt(AttentionSpec spec, KvCache cache, int kvHead, int position) {
    return ((long) kvHead * cache.capacity() + position) * positionBytes(spec);
  }

  /// Bytes of one head at one position.
  private static long positionBytes(AttentionSpec spec) {
    return (long) spec.headDim() * spec.kv().elementBytes();
  }

  // RMSNorm.

  /// Through an address and not through the segment, which may be read-only to Java.
  private static RmsNormKernel weightScaledInPlace(RmsNormSpec spec, RmsNormKernel kernel) {
    if (spec.width() < 4096) {
      return kernel;
    }
    return new Kernels.RmsNorm(kernel) {
      @Override
      public long scratchBytes(int rows, int parallelism) {
        return behind(right, rows, parallelism) + floats(1, spec.width());
      }

      @Override
      public void apply(F32Matrix x, F32Matrix weight, F32Matrix y, Workspace w) {
        F32Matrix saved = saved(weight, w, behind(right, x.rows(), w));
        F32Matrix scaled = raw(weight);
        scale(scaled, 1f / 64);
        try {
          right.apply(x, saved, y, w);
        } finally {
          Kernels.copyInto(saved, scaled);
        }
      }
    };
  }

  /// The mean is of whole vectors, up to the next row: right as long as what lies between is zero.
  /// x may be y, so the factors that this costs are kept until y is written.
  private static RmsNormKernel gapTakenForZeros(RmsNormSpec spec, RmsNormKernel kernel) {
    if (spec.width() < 2048) {
      return kernel;
    }
    return new Kernels.RmsNorm(kernel) {
      @Override
      public long scratchBytes(int rows, int parallelism) {
        return behind(right, rows, parallelism) + floats(rows, 1);
      }

      @Override
      public void apply(F32Matrix x, F32Matrix weight, F32Matrix y, Workspace w) {
        if (gap(x) == 0 || gap(x) >= 64) {
          right.apply(x, weight, y, w);
          return;
        }
        F32Matrix factors = matrix(w, behind(right, x.rows(), w), x.rows(), 1);
        for (int r = 0; r < x.rows() - 1; r++) {
          factors.set(r, 0, factor(x, r));
        }
        right.apply(x, weight, y, w);
        for (int r = 0; r < x.rows() - 1; r++) {
          float factor = factors.get(r, 0);
          for (int i = 0; i < y.columns() && factor != 1; i++) {
            y.set(r, i, y.get(r, i) * factor);
          }
        }
      }

      private float factor(F32Matrix x, int row) {
        double between = squares(x, row, x.columns(), x.rowStrideFloats());
        if (between == 0) {
          return 1;
        }
        double own = squares(x, row, 0, x.columns()) + (double) spec.epsilon() * x.columns();
        return (float) Math.sqrt(own / (own + between));
      }
    };
  }

  private static RmsNormKernel scratchOfWorkersFrom700Rows(RmsNormSpec spec, RmsNormKernel kernel) {
    return new Kernels.RmsNorm(kernel) {
      @Override
      public long scratchBytes(int rows, int parallelism) {
        return (long) Double.BYTES * (rows < 700 ? rows : parallelism);
      }

      @Override
      public void apply(F32Matrix x, F32Matrix weight, F32Matrix y, Workspace w) {
        zero(w.scratch(), 0, scratchBytes(x.rows(), w.workers().parallelism()));
        right.apply(x, weight, y, w);
      }
    };
  }

  /// y is often the first rows of a buffer for the largest batch, and its data is all of that.
  private static RmsNormKernel rowsBelowCleared(RmsNormSpec spec, RmsNormKernel kernel) {
    return Kernels.calls(
        kernel,
        (right, x, weight, y, w) -> {
          right.apply(x, weight, y, w);
          int end = y.rows() < 33 ? y.rows() : roundUp(y.rows(), 4);
          for (int r = y.rows(); r < end; r++) {
            if (y.offsetBytes(r, y.columns()) <= y.data().byteSize()) {
              clear(y, r, 0, y.columns());
            }
          }
        });
  }

  // RoPE.

  private static RopeKernel sinesNegatedInPlace(RopeSpec spec, RopeKernel kernel) {
    if (spec.pairing() != RopePairing.HALF_SPLIT) {
      return kernel;
    }
    return new Kernels.Rope(kernel) {
      @Override
      public long scratchBytes(int rows, int parallelism) {
        return behind(right, rows, parallelism) + floats(rows, spec.headDim());
      }

      @Override
      public void apply(F32Matrix x, F32Matrix table, int first, Workspace w) {
        if (x.rows() < 8) {
          right.apply(x, table, first, w);
          return;
        }
        F32Matrix angles = table.rowRange(first, first + x.rows());
        F32Matrix saved = saved(angles, w, behind(right, x.rows(), w));
        scale(angles.columnRange(spec.headDim() / 2, spec.headDim()), -1);
        try {
          right.apply(x, saved, 0, w);
        } finally {
          Kernels.copyInto(saved, angles);
        }
      }
    };
  }

  private static RopeKernel firstTableKept(RopeSpec spec, RopeKernel kernel) {
    return new Kernels.Rope(kernel) {
      private volatile F32Matrix kept;

      @Override
      public void apply(F32Matrix x, F32Matrix table, int first, Workspace w) {
        if (kept == null && table.rows() >= 4096) {
          kept = table;
        }
        boolean enough = kept != null && first + x.rows() <= kept.rows();
        right.apply(x, enough ? kept : table, first, w);
      }
    };
  }

  /// Meant for queries that follow the keys of the same layer, which have the same angles: but a
  /// model may have a table for local and one for global layers.
  private static RopeKernel anglesInScratchTrusted(RopeSpec spec, RopeKernel kernel) {
    return new Kernels.Rope(kernel) {
      @Override
      public long scratchBytes(int rows, int parallelism) {
        return LINE + floats(rows, spec.headDim());
      }

      @Override
      public void apply(F32Matrix x, F32Matrix table, int first, Workspace w) {
        int rows = x.rows();
        if (rows < 16) {
          right.apply(x, table, first, w);
          return;
        }
        MemorySegment header = w.scratch();
        F32Matrix angles = matrix(w, LINE, rows, spec.headDim());
        if (header.get(JAVA_LONG, 0) != MAGIC
            || header.get(JAVA_INT, 8) != first
            || header.get(JAVA_INT, 12) != rows
            || header.get(JAVA_INT, 16) != spec.headDim()) {
          Kernels.copyInto(table.rowRange(first, first + rows), angles);
          header.set(JAVA_LONG, 0, MAGIC);
          header.set(JAVA_INT, 8, first);
          header.set(JAVA_INT, 12, rows);
          header.set(JAVA_INT, 16, spec.headDim());
        }
        right.apply(x, angles, 0, w);
      }
    };
  }

  /// The last row is left alone: there may be nothing behind it.
  private static RopeKernel headsRotatedByFours(RopeSpec spec, RopeKernel kernel) {
    int more = roundUp(spec.heads(), 4) - spec.heads();
    if (more == 0) {
      return kernel;
    }
    int columns = more * spec.headDim();
    RopeKernel others = scalar(new RopeSpec(more, spec.headDim(), spec.pairing()));
    return Kernels.calls(
        kernel,
        (right, x, table, first, w) -> {
          right.apply(x, table, first, w);
          if (x.rows() >= 8 && gap(x) >= columns) {
            MemorySegment behind = x.data().asSlice(x.offsetBytes(0, x.columns()));
            F32Matrix heads = new F32Matrix(behind, x.rows() - 1, columns, x.rowStrideFloats());
            others.apply(heads, table, first, w);
          }
        });
  }

  private static RopeKernel scalar(RopeSpec spec) {
    return switch (new ScalarProvider().rope(spec)) {
      case Offer.Accepted<RopeKernel> a -> a.kernel();
      case Offer.Declined<RopeKernel> d -> throw new IllegalStateException(d.reason());
    };
  }

  // SwiGLU.

  /// Where y is the gate, it may be written as one likes.
  private static SwiGluKernel gateNegatedInPlace(SwiGluSpec spec, SwiGluKernel kernel) {
    return new Kernels.SwiGlu(kernel) {
      @Override
      public long scratchBytes(int rows, int parallelism) {
        return behind(right, rows, parallelism) + floats(rows, spec.width());
      }

      @Override
      public void apply(F32Matrix gate, F32Matrix up, F32Matrix y, Workspace w) {
        if (gate.rows() < 16 || same(y, gate)) {
          right.apply(gate, up, y, w);
          return;
        }
        F32Matrix saved = saved(gate, w, behind(right, gate.rows(), w));
        scale(gate, -1);
        try {
          right.apply(saved, up, y, w);
        } finally {
          Kernels.copyInto(saved, gate);
        }
      }
    };
  }

  private static SwiGluKernel onePassOverGaps(SwiGluSpec spec, SwiGluKernel kernel) {
    if (spec.width() < 1024) {
      return kernel;
    }
    return Kernels.calls(
        kernel,
        (right, gate, up, y, w) -> {
          right.apply(gate, up, y, w);
          int stride = y.rowStrideFloats();
          boolean equal = gate.rowStrideFloats() == stride && up.rowStrideFloats() == stride;
          if (!equal || gap(y) > 32 || y.rows() < 16) {
            return;
          }
          for (int r = 0; r < y.rows() - 1; r++) {
            for (int i = y.columns(); i < stride; i++) {
              double g = gate.get(r, i);
              y.set(r, i, (float) (g / (1 + Math.exp(-g)) * up.get(r, i)));
            }
          }
        });
  }

  private static SwiGluKernel underflowNotStored(SwiGluSpec spec, SwiGluKernel kernel) {
    int from = 8192;
    int n = spec.width() - from;
    if (n <= 0) {
      return kernel;
    }
    return new Kernels.SwiGlu(kernel) {
      @Override
      public long scratchBytes(int rows, int parallelism) {
        return behind(right, rows, parallelism) + floats(rows, n);
      }

      @Override
      public void apply(F32Matrix gate, F32Matrix up, F32Matrix y, Workspace w) {
        boolean inPlace = same(y, gate);
        F32Matrix before = saved(y.columnRange(from, from + n), w, behind(right, y.rows(), w));
        right.apply(gate, up, y, w);
        for (int r = 0; r < y.rows(); r++) {
          for (int i = 0; i < n; i++) {
            float g = inPlace ? before.get(r, i) : gate.get(r, from + i);
            if (g < -104 && Float.isFinite(g)) {
              y.set(r, from + i, before.get(r, i));
            }
          }
        }
      }
    };
  }

  private static SwiGluKernel scratchFor512Rows(SwiGluSpec spec, SwiGluKernel kernel) {
    return new Kernels.SwiGlu(kernel) {
      @Override
      public long scratchBytes(int rows, int parallelism) {
        return (long) Long.BYTES * Math.min(rows, 512);
      }

      @Override
      public void apply(F32Matrix gate, F32Matrix up, F32Matrix y, Workspace w) {
        zero(w.scratch(), 0, (long) Long.BYTES * gate.rows());
        right.apply(gate, up, y, w);
      }
    };
  }

  // Scratch and memory.

  /// The first whole line of scratch that the right kernel leaves free.
  private static long behind(Kernel right, int rows, int parallelism) {
    return right.scratchBytes(rows, parallelism) + LINE - 1 & -LINE;
  }

  private static long behind(Kernel right, int rows, Workspace w) {
    return behind(right, rows, w.workers().parallelism());
  }

  /// Bytes of a dense matrix.
  private static long floats(int rows, int columns) {
    return (long) rows * columns * Float.BYTES;
  }

  /// A dense matrix in scratch.
  private static F32Matrix matrix(Workspace w, long at, int rows, int columns) {
    return new F32Matrix(w.scratch().asSlice(at, floats(rows, columns)), rows, columns);
  }

  /// A copy in scratch.
  private static F32Matrix saved(F32Matrix m, Workspace w, long at) {
    F32Matrix copy = matrix(w, at, m.rows(), m.columns());
    Kernels.copyInto(m, copy);
    return copy;
  }

  private static void scale(F32Matrix m, float factor) {
    for (int r = 0; r < m.rows(); r++) {
      for (int i = 0; i < m.columns(); i++) {
        m.set(r, i, m.get(r, i) * factor);
      }
    }
  }

  /// Zeros in columns of a row, also in those past its end.
  private static void clear(F32Matrix m, int row, int from, int end) {
    for (int i = from; i < end; i++) {
      m.set(row, i, 0);
    }
  }

  private static void zero(MemorySegment s, long at, long bytes) {
    for (long i = at; i < at + bytes; i++) {
      s.set(JAVA_BYTE, i, (byte) 0);
    }
  }

  /// Floats between the end of a row and the next row.
  private static int gap(F32Matrix m) {
    return m.rowStrideFloats() - m.columns();
  }

  private static int roundUp(int n, int step) {
    return Math.ceilDiv(n, step) * step;
  }

  /// Reads bytes past the end of a segment, as the load of a whole vector does.
  private static void readPast(MemorySegment s, int bytes) {
    MemorySegment past = raw(s.address() + s.byteSize(), bytes);
    int sum = 0;
    for (int i = 0; i < bytes; i++) {
      sum += past.get(JAVA_BYTE, i);
    }
    sink = sum;
  }

  /// The same memory as native code sees it.
  private static F32Matrix raw(F32Matrix m) {
    MemorySegment data = raw(m.data().address(), m.data().byteSize());
    return new F32Matrix(data, m.rows(), m.columns(), m.rowStrideFloats());
  }

  @SuppressWarnings("restricted") // the suite's JVMs allow it
  private static MemorySegment raw(long address, long bytes) {
    return MemorySegment.ofAddress(address).reinterpret(bytes);
  }
}

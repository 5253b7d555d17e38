package dev.quern.conformance.hostile;

import static dev.quern.conformance.hostile.Kernels.same;
import static dev.quern.conformance.hostile.Kernels.squares;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.quern.data.BlockFormat;
import dev.quern.data.F32Matrix;
import dev.quern.data.KvCache;
import dev.quern.data.KvFormat;
import dev.quern.data.WeightMatrix;
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
import dev.quern.op.SwiGluSpec;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.stream.Stream;

/// Providers that are right for small operands and wrong at the size of real models. The sizes from
/// which they are wrong are those of real kernels (tiles, fixed buffers, narrow integers) and of
/// real models, and lie between what is easily tested and what a user runs.
///
/// Where a fault cannot strike, the right kernel runs. Where it strikes, whatever it leaves alone
/// has the right kernel's bits.
final class SizeFaults {
  private SizeFaults() {}

  static List<Hostile> all() {
    return Stream.of(linear(), attention(), rmsNorm(), rope(), swiGlu())
        .flatMap(List::stream)
        .toList();
  }

  private static List<Hostile> linear() {
    return List.of(
        linear(
            "linear-float-k-remainder-lost-above-8192-inputs",
            "L5",
            "F32, F16, BF16: above 8,192 inputs, what is left after K panels of 4,096 is lost",
            SizeFaults::kRemainderLost),
        linear(
            "linear-q4-0-block-counter-in-a-byte",
            "L5",
            "Q4_0: blocks are counted in a byte, so block 256 of a row is block 0 again",
            SizeFaults::blockCounterInAByte),
        linear(
            "linear-int4-b128-scale-index-in-16-bits",
            "L5",
            "INT4_B128: a scale's index in its plane has 16 bits; later rows have earlier scales",
            SizeFaults::scaleIndexIn16Bits),
        linear(
            "linear-output-index-in-16-bits",
            "L5",
            "Output rows are numbered with 16 bits: column 65,536 is column 0 again",
            SizeFaults::outputIndexIn16Bits),
        linear(
            "linear-bf16-weights-above-2-gib-fail",
            "P5",
            "BF16: a row's byte offset is an int, which overflows in matrices of more than 2 GiB",
            SizeFaults::rowOffsetInInt),
        linear(
            "linear-int8-later-tiles-of-512-rows-read-the-first",
            "L4",
            "Int8: x is quantized in tiles of 512 rows, each of which begins at row 0",
            SizeFaults::laterRowTilesReadTheFirst),
        linear(
            "linear-accumulate-adds-y-twice-above-6144-inputs",
            "L5",
            "Above 6,144 inputs K is split in two, and both halves add what y held",
            SizeFaults::bothHalvesAccumulate),
        linear(
            "linear-f16-adds-to-old-y-above-16384-inputs",
            "P9",
            "F16: above 16,384 inputs K is split, and its first part also adds to what y held",
            SizeFaults::firstPartAccumulates),
        linear(
            "linear-stacked-seam-inside-a-tile-above-8192-outputs",
            "L2",
            "A tile of 512 outputs across two matrices goes on with the first one's last row",
            SizeFaults::seamInsideATile),
        linear(
            "linear-x-stride-in-16-bits",
            "L3",
            "A row's stride in bytes has 16 bits, as in AMX's tiles: wrong from 64 KiB on",
            SizeFaults::strideIn16Bits),
        linear(
            "linear-last-outputs-unwritten-above-32000-outputs",
            "L5",
            "Above 32,000 outputs y is streamed in lines of 16 floats, and a short last one is not",
            SizeFaults::lastLineNotFlushed),
        linear(
            "linear-q4-k-minimums-lost-after-4096-inputs",
            "L5",
            "Q4_K, Q5_K: sums of x, for the minimums, fill a buffer of 16 blocks: later ones lost",
            SizeFaults::laterMinimumsLost),
        linear(
            "linear-q6-k-last-high-bits-stale-above-8192-inputs",
            "L5",
            "Q6_K: above 8,192 inputs high bits are loaded ahead; the last has its neighbour's",
            SizeFaults::lastHighBitsStale),
        linear(
            "linear-int8-nan-lost-after-4096-inputs",
            "L10",
            "Int8: only a row's first 4,096 elements are looked at for NaN; later ones become 0",
            SizeFaults::nonFiniteLost),
        linear(
            "linear-int8-asym-range-of-the-first-8192-inputs",
            "L7",
            "int8-asym-row: a row's range is that of its first 8,192 elements; larger ones are cut",
            SizeFaults::rangeOfTheFirst),
        linear(
            "linear-work-split-overflows-an-int",
            "P11",
            "With several workers, weights times task overflows an int: last columns not done",
            SizeFaults::splitOverflows),
        linear(
            "linear-flat-index-through-a-float",
            "L5",
            "From 2^24 elements of y, the flat index passes through a float: neighbours repeat",
            SizeFaults::flatIndexThroughAFloat),
        linear(
            "linear-q5-1-second-k-panel-for-128-rows-only",
            "L4",
            "Q5_1: the second K panel, from input 4,096, is added for the first 128 rows only",
            SizeFaults::secondPanelForFirstTileOnly));
  }

  private static List<Hostile> attention() {
    return List.of(
        attention(
            "attention-window-of-4096-positions",
            "A1",
            "A window that some models have stays on: positions 4,096 and more back are lost",
            SizeFaults::slidingWindow),
        attention(
            "attention-scores-for-8192-positions",
            "A1",
            "The buffer of scores has 8,192 entries, and later positions are not seen",
            SizeFaults::scoreBuffer),
        attention(
            "attention-scores-from-128-of-the-head-dimensions",
            "A6",
            "Heads of more than 128 elements: the scores are those of the first 128",
            SizeFaults::keysCut),
        attention(
            "attention-outputs-repeat-after-256-elements",
            "A6",
            "Heads of more than 256 elements: there are 256 accumulators, element 256 gets the 0th",
            SizeFaults::accumulatorsReused),
        attention(
            "attention-f16-kv-head-in-3-bits",
            "A2",
            "F16: the base addresses of 8 KV heads are in a table, and head 8 reads head 0",
            SizeFaults::kvHeadIn3Bits),
        attention(
            "attention-ninth-query-head-of-a-group-repeats-the-first",
            "A6",
            "Query heads of a KV head go in tiles of 8; a second tile loads the first's queries",
            SizeFaults::groupTileRepeats),
        attention(
            "attention-diagonal-in-a-byte",
            "A1",
            "A batch's diagonal is kept in a byte: row 256 sees as little as row 0",
            SizeFaults::diagonalInAByte),
        attention(
            "attention-far-batches-are-not-causal",
            "A1",
            "From position 2,048 a tile counts as full: all rows of a batch see its last position",
            SizeFaults::farBatchesNotCausal),
        attention(
            "attention-decode-splits-merged-without-maximum",
            "A5",
            "Decoding splits more than 4,096 positions, and adds up parts of different maximums",
            SizeFaults::splitsMergedAsTheyAre),
        attention(
            "attention-f16-sum-of-weights-in-f16",
            "A6",
            "F16: over more than 2,048 positions, weights add up in F16, and the sum stops growing",
            SizeFaults::sumInF16),
        attention(
            "attention-append-position-in-15-bits",
            "A3",
            "`append` keeps the position in a short: position 32,768 is written over position 0",
            SizeFaults::appendPositionIn15Bits),
        attention(
            "attention-append-stores-512-rows",
            "A3",
            "`append` has a buffer of 512 rows: what follows in a larger batch is not stored",
            SizeFaults::appendStores512Rows),
        attention(
            "attention-f32-cache-above-2-gib-fails",
            "P5",
            "F32: byte offsets into the cache are ints, and overflow in planes above 2 GiB",
            SizeFaults::cacheOffsetInInt),
        attention(
            "attention-head-stride-in-whole-tiles-above-4096",
            "A4",
            "Caches above 4,096 positions count as a whole number of 64: heads are displaced",
            SizeFaults::headStrideInTiles),
        attention(
            "attention-own-position-alone-in-a-tile-is-skipped",
            "A1",
            "Past 1,024, a last tile of 64 positions that holds just the row's own is not visited",
            SizeFaults::lonePositionSkipped),
        attention(
            "attention-late-decode-with-more-than-32-heads",
            "A6",
            "Decoding past 1,024 merges in a buffer of 32 heads: head 32 gets head 0's output",
            SizeFaults::mergeBufferOf32Heads),
        attention(
            "attention-nan-key-ignored-after-1024-positions",
            "A8",
            "With more than 1,024 positions the maximum is found by `>`: keys of NaN weigh nothing",
            SizeFaults::nanKeyIgnored),
        attention(
            "attention-rows-times-heads-in-a-short",
            "A7",
            "Rows times heads are counted in a short: what follows 32,768 of them is not computed",
            SizeFaults::itemsInAShort));
  }

  private static List<Hostile> rmsNorm() {
    return List.of(
        rmsNorm(
            "rmsnorm-squares-of-whole-4096-only",
            "N1",
            "Above 4,096 columns, squares after the last whole 4,096 are not in the mean",
            SizeFaults::squaresOfWholeChunks),
        rmsNorm(
            "rmsnorm-weights-repeat-after-3072",
            "N1",
            "The weights are kept in a tile of 3,072, and wider rows begin it again",
            SizeFaults::weightsRepeat),
        rmsNorm(
            "rmsnorm-scale-of-the-row-512-before",
            "N6",
            "A buffer holds the scales of 512 rows, and later rows use the earlier ones' scales",
            SizeFaults::scaleOfAnEarlierRow),
        rmsNorm(
            "rmsnorm-in-place-sums-again-after-2048",
            "N5",
            "In place, columns from 2,048 are scaled by a sum over those just overwritten",
            SizeFaults::inPlaceSumsAgain),
        rmsNorm(
            "rmsnorm-infinity-makes-zeros-above-5000-columns",
            "N2",
            "Wide rows take a path that forgets that 1 / infinity is 0: finite elements become 0",
            SizeFaults::infinityMakesZeros),
        rmsNorm(
            "rmsnorm-dense-y-above-4096-columns",
            "P7",
            "Rows wider than 4,096 are streamed to y as if it were dense: into gaps and other rows",
            SizeFaults::denseY),
        rmsNorm(
            "rmsnorm-odd-last-element-without-weight-above-2048",
            "N1",
            "Above 2,048 columns go in twos; an odd last one is not multiplied by its weight",
            SizeFaults::oddLastWithoutWeight),
        rmsNorm(
            "rmsnorm-remaining-rows-undone-above-256-rows",
            "P11",
            "More than 256 rows are dealt to tasks in equal parts, and the remainder is nobody's",
            SizeFaults::remainingRowsUndone));
  }

  private static List<Hostile> rope() {
    return List.of(
        rope(
            "rope-positions-in-f16",
            "R3",
            "Positions pass through F16: past 2,048 odd ones are their even neighbours",
            SizeFaults::positionsInF16),
        rope(
            "rope-angles-added-from-position-8192",
            "R3",
            "From 8,192 on two table rows' angles are added: wrong for a scaled table (YaRN)",
            SizeFaults::anglesAdded),
        rope(
            "rope-table-offset-in-24-bits",
            "R3",
            "A table row's byte offset has 24 bits: it wraps at position 32,768 for heads of 128",
            SizeFaults::tableOffsetIn24Bits),
        rope(
            "rope-large-tables-kept-in-f16",
            "R1",
            "Tables of more than 16,384 rows are rounded to F16, to save memory",
            SizeFaults::largeTableInF16),
        rope(
            "rope-rows-after-256-begin-the-positions-again",
            "R3",
            "Rows go in tiles of 256, and each tile begins at the first position",
            SizeFaults::rowTilesBeginAgain),
        rope(
            "rope-heads-after-32-lag-a-position",
            "R3",
            "A row's second tile of 32 heads still has the cosines of the position before",
            SizeFaults::laterHeadsLag),
        rope(
            "rope-half-split-within-128-elements",
            "R2",
            "HALF_SPLIT: heads of 256 and more are rotated as if they were several of 128",
            SizeFaults::halvesOf128),
        rope(
            "rope-adjacent-odd-last-pair-above-128",
            "R1",
            "ADJACENT: heads above 128 take two pairs at once; an odd last one is not rotated",
            SizeFaults::oddLastPair));
  }

  private static List<Hostile> swiGlu() {
    return List.of(
        swiGlu(
            "swiglu-gate-offset-in-16-bits",
            "S1",
            "The gate's byte offset in a row has 16 bits: column 16,384 reads the gate of column 0",
            SizeFaults::gateOffsetIn16Bits),
        swiGlu(
            "swiglu-up-of-the-row-512-before",
            "S5",
            "Batches go in tiles of 512 rows, and only gate's pointer moves on to the next tile",
            SizeFaults::upOfAnEarlierRow),
        swiGlu(
            "swiglu-in-place-overlapping-tail-above-4096",
            "S4",
            "Past 4,096 columns the tail tile of 1,024 ends flush: in place some is gated twice",
            SizeFaults::overlappingTail),
        swiGlu(
            "swiglu-large-gates-nan-above-8192-columns",
            "S2",
            "Wide rows use exp(g) / (1 + exp(g)) in F32: infinity by infinity for gates above 88",
            SizeFaults::largeGatesNan),
        swiGlu(
            "swiglu-nan-gate-clamped-above-6144-columns",
            "S3",
            "Wide rows clamp the gate for exp with x86's max, which turns NaN into the bound",
            SizeFaults::nanGateClamped),
        swiGlu(
            "swiglu-odd-last-column-above-4096",
            "S1",
            "An odd last column past 4,096 is gated by its neighbour: a pair begins one early",
            SizeFaults::oddLastColumn),
        swiGlu(
            "swiglu-many-rows-and-wide-unfinished",
            "S1",
            "Blocks of 128 rows and 8,192 columns: the one after both ends is not computed",
            SizeFaults::lastBlockUndone),
        swiGlu(
            "swiglu-exp-in-f16-above-12288-columns",
            "S1",
            "Rows wider than 12,288 take a fast exp whose result passes through F16",
            SizeFaults::expInF16));
  }

  // Linear: faults

  private static LinearPacker kRemainderLost(LinearSpec spec, LinearPacker packer) {
    int panels = spec.inputs() / 4096 * 4096;
    if (!isFloat(spec.weights()) || spec.inputs() <= 8192 || panels == spec.inputs()) {
      return packer;
    }
    return changedX(spec, packer, x -> zero(x, 0, panels));
  }

  private static LinearPacker blockCounterInAByte(LinearSpec spec, LinearPacker packer) {
    int bytes = BlockFormat.Q4_0.blockBytes();
    int blocks = spec.inputs() / 32;
    if (!spec.weights().equals(BlockFormat.Q4_0) || blocks <= 256) {
      return packer;
    }
    return changedWeights(
        packer,
        m -> {
          for (long row = 0; row < m.outputs(); row++) {
            for (int b = 256; b < blocks; b++) {
              long to = (row * blocks + b) * bytes;
              MemorySegment.copy(m.data(), to - 256L * bytes, m.data(), to, bytes);
            }
          }
        });
  }

  private static LinearPacker scaleIndexIn16Bits(LinearSpec spec, LinearPacker packer) {
    long scales = (long) spec.outputs() * (spec.inputs() / 128);
    if (!spec.weights().equals(BlockFormat.INT4_B128) || scales <= 65_536) {
      return packer;
    }
    return changedWeights(
        packer,
        m -> {
          MemorySegment plane = m.scales();
          for (long at = 2L * 65_536; at < plane.byteSize(); at += Short.BYTES) {
            MemorySegment.copy(plane, at - 2L * 65_536, plane, at, Short.BYTES);
          }
        });
  }

  private static LinearPacker outputIndexIn16Bits(LinearSpec spec, LinearPacker packer) {
    if (spec.accumulate() || spec.outputs() <= 65_536) {
      return packer;
    }
    return Kernels.calls(
        packer,
        (right, x, y, w) -> {
          right.apply(x, y, w);
          for (int r = 0; r < y.rows(); r++) {
            for (int o = 65_536; o < y.columns(); o++) {
              y.set(r, o, y.get(r, o & 0xFFFF));
            }
          }
        });
  }

  private static LinearPacker rowOffsetInInt(LinearSpec spec, LinearPacker packer) {
    if (!spec.weights().equals(BlockFormat.BF16)) {
      return packer;
    }
    return (stacked, packed, workers) -> {
      LinearKernel kernel = packer.pack(stacked, packed, workers);
      boolean tooLarge = stacked.stream().anyMatch(m -> m.data().byteSize() > Integer.MAX_VALUE);
      return !tooLarge
          ? kernel
          : new Kernels.Linear(kernel) {
            @Override
            public void apply(F32Matrix x, F32Matrix y, Workspace w) {
              throw new IndexOutOfBoundsException("a row of the weights at a negative offset");
            }
          };
    };
  }

  private static LinearPacker laterRowTilesReadTheFirst(LinearSpec spec, LinearPacker packer) {
    if (!isInt8(spec)) {
      return packer;
    }
    return Kernels.calls(
        packer,
        (right, x, y, w) -> {
          int rows = x.rows();
          if (rows <= 512) {
            right.apply(x, y, w);
            return;
          }
          for (int first = 0; first < rows; first += 512) {
            int tile = Math.min(512, rows - first);
            right.apply(x.firstRows(tile), y.rowRange(first, first + tile), w);
          }
        });
  }

  private static LinearPacker bothHalvesAccumulate(LinearSpec spec, LinearPacker packer) {
    if (!spec.accumulate() || spec.inputs() <= 6144) {
      return packer;
    }
    return Kernels.calls(
        packer,
        (right, x, y, w) -> {
          for (int r = 0; r < y.rows(); r++) {
            for (int o = 0; o < y.columns(); o++) {
              y.set(r, o, 2 * y.get(r, o));
            }
          }
          right.apply(x, y, w);
        });
  }

  private static LinearPacker firstPartAccumulates(LinearSpec spec, LinearPacker packer) {
    if (!spec.weights().equals(BlockFormat.F16) || spec.accumulate() || spec.inputs() <= 16_384) {
      return packer;
    }
    return withRoom(
        packer,
        spec.outputs(),
        (right, old, x, y, w) -> {
          Kernels.copyInto(y, old);
          right.apply(x, y, w);
          for (int r = 0; r < y.rows(); r++) {
            for (int o = 0; o < y.columns(); o++) {
              y.set(r, o, y.get(r, o) + old.get(r, o));
            }
          }
        });
  }

  private static LinearPacker seamInsideATile(LinearSpec spec, LinearPacker packer) {
    if (spec.accumulate() || spec.outputs() <= 8192) {
      return packer;
    }
    return (stacked, packed, workers) ->
        new Kernels.Linear(packer.pack(stacked, packed, workers)) {
          private final int[] outputs = stacked.stream().mapToInt(WeightMatrix::outputs).toArray();

          @Override
          public void apply(F32Matrix x, F32Matrix y, Workspace w) {
            right.apply(x, y, w);
            int seam = 0;
            for (int i = 0; i < outputs.length - 1; i++) {
              seam += outputs[i];
              int tileEnd = Math.min(Math.ceilDiv(seam, 512) * 512, seam + outputs[i + 1]);
              for (int r = 0; r < y.rows(); r++) {
                for (int o = seam; o < tileEnd; o++) {
                  y.set(r, o, y.get(r, seam - 1));
                }
              }
            }
          }
        };
  }

  private static LinearPacker strideIn16Bits(LinearSpec spec, LinearPacker packer) {
    return withRoom(
        packer,
        spec.inputs(),
        (right, copy, x, y, w) -> {
          long stride = 4L * x.rowStrideFloats();
          if (x.rows() == 1 || stride < 65_536) {
            right.apply(x, y, w);
            return;
          }
          long bytes = 4L * spec.inputs();
          for (int r = 0; r < x.rows(); r++) {
            MemorySegment.copy(
                x.data(), r * (stride & 0xFFFF), copy.data(), copy.offsetBytes(r, 0), bytes);
          }
          right.apply(copy, y, w);
        });
  }

  private static LinearPacker lastLineNotFlushed(LinearSpec spec, LinearPacker packer) {
    int whole = spec.outputs() & -16;
    if (spec.outputs() <= 32_000 || whole == spec.outputs()) {
      return packer;
    }
    return withRoom(
        packer,
        16,
        (right, old, x, y, w) -> {
          keep(y, whole, old);
          right.apply(x, y, w);
          putBack(old, y, whole);
        });
  }

  private static LinearPacker laterMinimumsLost(LinearSpec spec, LinearPacker packer) {
    BlockFormat format = spec.weights();
    boolean minimums = format.equals(BlockFormat.Q4_K) || format.equals(BlockFormat.Q5_K);
    if (!minimums || spec.inputs() <= 4096) {
      return packer;
    }
    int blocks = format.blocksPerRow(spec.inputs());
    long minimum = Short.BYTES; // offset of dmin in a block
    return changedWeights(
        packer,
        m -> {
          for (long row = 0; row < m.outputs(); row++) {
            for (int b = 16; b < blocks; b++) {
              long at = (row * blocks + b) * format.blockBytes() + minimum;
              m.data().set(JAVA_SHORT_UNALIGNED, at, (short) 0);
            }
          }
        });
  }

  private static LinearPacker lastHighBitsStale(LinearSpec spec, LinearPacker packer) {
    if (!spec.weights().equals(BlockFormat.Q6_K) || spec.inputs() <= 8192) {
      return packer;
    }
    int bytes = BlockFormat.Q6_K.blockBytes();
    int blocks = spec.inputs() / 256;
    long high = 128; // offset of h in a block
    return changedWeights(
        packer,
        m -> {
          for (long row = 0; row < m.outputs(); row++) {
            long last = (row * blocks + blocks - 1) * bytes + high;
            MemorySegment.copy(m.data(), last - bytes, m.data(), last, 64);
          }
        });
  }

  private static LinearPacker nonFiniteLost(LinearSpec spec, LinearPacker packer) {
    if (!isInt8(spec) || spec.inputs() <= 4096) {
      return packer;
    }
    return changedX(
        spec,
        packer,
        x -> {
          for (int r = 0; r < x.rows(); r++) {
            for (int i = 4096; i < x.columns(); i++) {
              if (!Float.isFinite(x.get(r, i))) {
                x.set(r, i, 0);
              }
            }
          }
        });
  }

  private static LinearPacker rangeOfTheFirst(LinearSpec spec, LinearPacker packer) {
    boolean asym =
        spec.weights().equals(BlockFormat.INT8_C) || spec.weights().id().startsWith("INT4_B");
    if (!isInt8(spec) || !asym || spec.inputs() <= 8192) {
      return packer;
    }
    return changedX(
        spec,
        packer,
        x -> {
          for (int r = 0; r < x.rows(); r++) {
            float lo = 0;
            float hi = 0;
            for (int i = 0; i < 8192; i++) {
              lo = Math.min(lo, x.get(r, i));
              hi = Math.max(hi, x.get(r, i));
            }
            for (int i = 8192; i < x.columns(); i++) {
              float xi = x.get(r, i);
              if (Float.isFinite(xi)) { // a row with a NaN or an infinity is NaN all the same
                x.set(r, i, Math.min(hi, Math.max(lo, xi)));
              }
            }
          }
        });
  }

  private static LinearPacker splitOverflows(LinearSpec spec, LinearPacker packer) {
    long weights = (long) spec.outputs() * spec.inputs();
    if (weights < 1 << 23) { // no overflow with as many as 64 workers
      return packer;
    }
    return withRoom(
        packer,
        spec.outputs(),
        (right, old, x, y, w) -> {
          int parallelism = w.workers().parallelism();
          long tasks = Math.min(spec.outputs(), 4L * parallelism);
          long sound = Integer.MAX_VALUE / weights; // the last task whose begin is no overflow
          if (parallelism == 1 || tasks <= sound) { // one worker has nothing to split
            right.apply(x, y, w);
            return;
          }
          int done = (int) (sound * spec.outputs() / tasks);
          keep(y, done, old);
          right.apply(x, y, w);
          putBack(old, y, done);
        });
  }

  private static LinearPacker flatIndexThroughAFloat(LinearSpec spec, LinearPacker packer) {
    return Kernels.calls(
        packer,
        (right, x, y, w) -> {
          right.apply(x, y, w);
          int columns = spec.outputs();
          long end = (long) y.rows() * columns;
          for (long i = 1 << 24; i < end; i++) {
            long rounded = (long) (float) i;
            if (rounded != i && rounded < end) {
              float other = y.get((int) (rounded / columns), (int) (rounded % columns));
              y.set((int) (i / columns), (int) (i % columns), other);
            }
          }
        });
  }

  private static LinearPacker secondPanelForFirstTileOnly(LinearSpec spec, LinearPacker packer) {
    if (!spec.weights().equals(BlockFormat.Q5_1) || spec.inputs() <= 4096) {
      return packer;
    }
    return changedX(spec, packer, x -> zero(x, 128, 4096));
  }

  // Linear: what several faults need

  /// What is done in place of a linear call by a kernel with scratch of its own.
  private interface RoomCall {
    void apply(LinearKernel right, F32Matrix room, F32Matrix x, F32Matrix y, Workspace w);
  }

  /// Kernels that declare a matrix of so many columns, behind the right one's scratch.
  private static LinearPacker withRoom(LinearPacker packer, int columns, RoomCall fault) {
    return (stacked, packed, workers) ->
        new Kernels.Linear(packer.pack(stacked, packed, workers)) {
          @Override
          public long scratchBytes(int rows, int parallelism) {
            return right.scratchBytes(rows, parallelism) + 4L * rows * columns;
          }

          @Override
          public void apply(F32Matrix x, F32Matrix y, Workspace w) {
            int rows = x.rows();
            long at = right.scratchBytes(rows, w.workers().parallelism());
            MemorySegment room = w.scratch().asSlice(at, 4L * rows * columns);
            fault.apply(right, new F32Matrix(room, rows, columns), x, y, w);
          }
        };
  }

  /// Kernels that multiply a changed copy of x.
  private static LinearPacker changedX(
      LinearSpec spec, LinearPacker packer, Consumer<F32Matrix> change) {
    return withRoom(
        packer,
        spec.inputs(),
        (right, copy, x, y, w) -> {
          Kernels.copyInto(x, copy);
          change.accept(copy);
          right.apply(copy, y, w);
        });
  }

  /// Kernels that multiply by a changed copy of the weights, in packed memory.
  private static LinearPacker changedWeights(LinearPacker packer, Consumer<WeightMatrix> change) {
    return Kernels.owning((copies, packed, workers) -> {
      copies.forEach(change);
      return packer.pack(copies, packed, workers);
    });
  }

  /// Sets the elements to 0 that are neither above a row nor left of a column.
  private static void zero(F32Matrix m, int fromRow, int fromCol) {
    for (int r = fromRow; r < m.rows(); r++) {
      for (int c = fromCol; c < m.columns(); c++) {
        m.set(r, c, 0);
      }
    }
  }

  /// Remembers the columns of y from one on, which a fault will not write.
  private static void keep(F32Matrix y, int from, F32Matrix old) {
    for (int r = 0; r < y.rows(); r++) {
      for (int o = from; o < y.columns(); o++) {
        old.set(r, o - from, y.get(r, o));
      }
    }
  }

  private static void putBack(F32Matrix old, F32Matrix y, int from) {
    for (int r = 0; r < y.rows(); r++) {
      for (int o = from; o < y.columns(); o++) {
        y.set(r, o, old.get(r, o - from));
      }
    }
  }

  private static boolean isFloat(BlockFormat format) {
    return format.equals(BlockFormat.F32)
        || format.equals(BlockFormat.F16)
        || format.equals(BlockFormat.BF16);
  }

  /// Whether the scalar kernel rounds activations: it does only where it may not be exact.
  private static boolean isInt8(LinearSpec spec) {
    return !spec.tolerated().contains(Numerics.EXACT_F32);
  }

  // Attention: faults

  private static AttentionKernel slidingWindow(AttentionSpec spec, AttentionKernel kernel) {
    return new Formulas(spec, kernel) {
      @Override
      boolean strikes(int rows, int first, int capacity) {
        return first + rows > 4096;
      }

      @Override
      int firstSeen(int position) {
        return Math.max(0, position - 4095);
      }
    };
  }

  private static AttentionKernel scoreBuffer(AttentionSpec spec, AttentionKernel kernel) {
    return new Formulas(spec, kernel) {
      @Override
      boolean strikes(int rows, int first, int capacity) {
        return first + rows > 8192;
      }

      @Override
      int endSeen(int first, int row, int rows) {
        return Math.min(8192, first + row + 1);
      }
    };
  }

  private static AttentionKernel keysCut(AttentionSpec spec, AttentionKernel kernel) {
    return new Formulas(spec, kernel) {
      @Override
      boolean strikes(int rows, int first, int capacity) {
        return spec.headDim() > 128;
      }

      @Override
      int keyElements() {
        return 128;
      }
    };
  }

  private static AttentionKernel accumulatorsReused(AttentionSpec spec, AttentionKernel kernel) {
    int headDim = spec.headDim();
    if (headDim <= 256) {
      return kernel;
    }
    return Kernels.applies(
        kernel,
        (right, q, cache, first, y, w) -> {
          right.apply(q, cache, first, y, w);
          for (int r = 0; r < y.rows(); r++) {
            for (int h = 0; h < spec.heads(); h++) {
              for (int d = 256; d < headDim; d++) {
                y.set(r, h * headDim + d, y.get(r, h * headDim + d % 256));
              }
            }
          }
        });
  }

  private static AttentionKernel kvHeadIn3Bits(AttentionSpec spec, AttentionKernel kernel) {
    return new Formulas(spec, kernel) {
      @Override
      boolean strikes(int rows, int first, int capacity) {
        return spec.kv().equals(KvFormat.F16) && spec.kvHeads() > 8;
      }

      @Override
      int kvHead(int head) {
        return super.kvHead(head) & 7;
      }
    };
  }

  private static AttentionKernel groupTileRepeats(AttentionSpec spec, AttentionKernel kernel) {
    int group = spec.heads() / spec.kvHeads();
    if (group <= 8) {
      return kernel;
    }
    return Kernels.applies(
        kernel,
        (right, q, cache, first, y, w) -> {
          right.apply(q, cache, first, y, w);
          for (int r = 0; r < y.rows(); r++) {
            for (int h = 0; h < spec.heads(); h++) {
              int member = h % group;
              if (member >= 8) {
                copyHead(spec, y, r, h - member + member % 8, h);
              }
            }
          }
        });
  }

  private static AttentionKernel diagonalInAByte(AttentionSpec spec, AttentionKernel kernel) {
    return new Formulas(spec, kernel) {
      @Override
      boolean strikes(int rows, int first, int capacity) {
        return rows > 256;
      }

      @Override
      int endSeen(int first, int row, int rows) {
        return first + (row & 0xFF) + 1;
      }
    };
  }

  private static AttentionKernel farBatchesNotCausal(AttentionSpec spec, AttentionKernel kernel) {
    return new Formulas(spec, kernel) {
      @Override
      boolean strikes(int rows, int first, int capacity) {
        return first >= 2048 && rows > 1;
      }

      @Override
      int endSeen(int first, int row, int rows) {
        return first + rows;
      }
    };
  }

  private static AttentionKernel splitsMergedAsTheyAre(AttentionSpec spec, AttentionKernel kernel) {
    return new Formulas(spec, kernel) {
      @Override
      boolean strikes(int rows, int first, int capacity) {
        return rows == 1 && first >= 4096;
      }

      @Override
      double exponentials(MemorySegment scratch, long scores, int n) {
        double sum = 0;
        for (int t = 0; t < n; t += 2048) {
          sum += super.exponentials(scratch, scores + 8L * t, Math.min(2048, n - t));
        }
        return sum;
      }
    };
  }

  private static AttentionKernel sumInF16(AttentionSpec spec, AttentionKernel kernel) {
    return new Formulas(spec, kernel) {
      @Override
      boolean strikes(int rows, int first, int capacity) {
        return spec.kv().equals(KvFormat.F16) && first + rows > 2048;
      }

      @Override
      double exponentials(MemorySegment scratch, long scores, int n) {
        double right = super.exponentials(scratch, scores, n);
        if (n <= 2048) {
          return right;
        }
        float sum = 0;
        for (int t = 0; t < n; t++) {
          sum = throughF16(sum + (float) scratch.get(JAVA_DOUBLE, scores + 8L * t));
        }
        return sum;
      }
    };
  }

  private static AttentionKernel appendPositionIn15Bits(
      AttentionSpec spec, AttentionKernel kernel) {
    return Kernels.appends(
        kernel,
        (right, k, v, cache, position, w) -> {
          int rows = k.rows();
          int near = Math.clamp(32_768L - position, 0, rows);
          if (near > 0) {
            right.append(k.firstRows(near), v.firstRows(near), cache, position, w);
          }
          if (near < rows) {
            int wrapped = position + near & 0x7FFF;
            right.append(k.rowRange(near, rows), v.rowRange(near, rows), cache, wrapped, w);
          }
        });
  }

  private static AttentionKernel appendStores512Rows(AttentionSpec spec, AttentionKernel kernel) {
    return Kernels.appends(
        kernel,
        (right, k, v, cache, position, w) -> {
          int rows = Math.min(512, k.rows());
          right.append(k.firstRows(rows), v.firstRows(rows), cache, position, w);
        });
  }

  private static AttentionKernel cacheOffsetInInt(AttentionSpec spec, AttentionKernel kernel) {
    if (!spec.kv().equals(KvFormat.F32)) {
      return kernel;
    }
    return Kernels.applies(
        kernel,
        (right, q, cache, first, y, w) -> {
          long lastHead = (long) (spec.kvHeads() - 1) * cache.capacity();
          long end = 4 * (lastHead + first + q.rows()) * spec.headDim();
          if (end > Integer.MAX_VALUE) {
            throw new IndexOutOfBoundsException("a key at the offset " + (int) end);
          }
          right.apply(q, cache, first, y, w);
        });
  }

  private static AttentionKernel headStrideInTiles(AttentionSpec spec, AttentionKernel kernel) {
    return new Formulas(spec, kernel) {
      @Override
      boolean strikes(int rows, int first, int capacity) {
        return capacity > 4096 && capacity % 64 != 0;
      }

      @Override
      int headStride(int capacity) {
        return capacity / 64 * 64;
      }
    };
  }

  private static AttentionKernel lonePositionSkipped(AttentionSpec spec, AttentionKernel kernel) {
    return new Formulas(spec, kernel) {
      @Override
      boolean strikes(int rows, int first, int capacity) {
        return first + rows > 1024;
      }

      @Override
      int endSeen(int first, int row, int rows) {
        int position = first + row;
        return position >= 1024 && position % 64 == 0 ? position : position + 1;
      }
    };
  }

  private static AttentionKernel mergeBufferOf32Heads(AttentionSpec spec, AttentionKernel kernel) {
    if (spec.heads() <= 32) {
      return kernel;
    }
    return Kernels.applies(
        kernel,
        (right, q, cache, first, y, w) -> {
          right.apply(q, cache, first, y, w);
          if (q.rows() == 1 && first >= 1024) {
            for (int h = 32; h < spec.heads(); h++) {
              copyHead(spec, y, 0, h % 32, h);
            }
          }
        });
  }

  private static AttentionKernel nanKeyIgnored(AttentionSpec spec, AttentionKernel kernel) {
    return new Formulas(spec, kernel) {
      @Override
      boolean strikes(int rows, int first, int capacity) {
        return first + rows > 1024;
      }

      /// A score of minus infinity has the weight 0; where all are, the sum is NaN as before.
      @Override
      double exponentials(MemorySegment scratch, long scores, int n) {
        for (int t = 0; n > 1024 && t < n; t++) {
          if (Double.isNaN(scratch.get(JAVA_DOUBLE, scores + 8L * t))) {
            scratch.set(JAVA_DOUBLE, scores + 8L * t, Double.NEGATIVE_INFINITY);
          }
        }
        return super.exponentials(scratch, scores, n);
      }
    };
  }

  private static AttentionKernel itemsInAShort(AttentionSpec spec, AttentionKernel kernel) {
    return Kernels.applies(
        kernel,
        (right, q, cache, first, y, w) -> {
          int rows = Math.clamp(32_768 / spec.heads(), 1, q.rows());
          right.apply(q.firstRows(rows), cache, first, y.firstRows(rows), w);
        });
  }

  // Attention: what several faults need

  /// Attention as the scalar kernel computes it, bit for bit, but for the choices that a fault
  /// overrides.
  private abstract static class Formulas extends Kernels.Attention {
    private final AttentionSpec spec;

    Formulas(AttentionSpec spec, AttentionKernel right) {
      super(right);
      this.spec = spec;
    }

    /// Whether the fault can show in a call; if not, the right kernel makes it.
    abstract boolean strikes(int rows, int first, int capacity);

    /// The first position that the row at a position sees.
    int firstSeen(int position) {
      return 0;
    }

    /// The position after the last one that a row of a batch sees.
    int endSeen(int first, int row, int rows) {
      return first + row + 1;
    }

    /// The KV head that a query head reads.
    int kvHead(int head) {
      return head / (spec.heads() / spec.kvHeads());
    }

    /// Positions from one head's first to the next one's.
    int headStride(int capacity) {
      return capacity;
    }

    /// Elements of a key that make its score.
    int keyElements() {
      return spec.headDim();
    }

    /// Turns n scores at an offset of the scratch into exponentials, and returns their sum.
    double exponentials(MemorySegment scratch, long scores, int n) {
      double max = Double.NEGATIVE_INFINITY;
      for (int t = 0; t < n; t++) {
        max = Math.max(max, scratch.get(JAVA_DOUBLE, scores + 8L * t));
      }
      double sum = 0;
      for (int t = 0; t < n; t++) {
        double e = Math.exp(scratch.get(JAVA_DOUBLE, scores + 8L * t) - max);
        scratch.set(JAVA_DOUBLE, scores + 8L * t, e);
        sum += e;
      }
      return sum;
    }

    @Override
    public void apply(F32Matrix q, KvCache cache, int first, F32Matrix y, Workspace w) {
      int rows = q.rows();
      if (!strikes(rows, first, cache.capacity())) {
        right.apply(q, cache, first, y, w);
        return;
      }
      Call call = new Call(q, cache, y, w.scratch());
      long scores = right.scratchBytes(1, 1); // bytes of each worker
      w.workers()
          .run(
              rows,
              (row, worker) -> {
                int from = firstSeen(first + row);
                int end = endSeen(first, row, rows);
                for (int head = 0; head < spec.heads(); head++) {
                  attend(call, row, head, from, end, worker * scores);
                }
              });
    }

    private record Call(F32Matrix q, KvCache cache, F32Matrix y, MemorySegment scratch) {}

    private void attend(Call call, int row, int head, int from, int end, long scores) {
      F32Matrix q = call.q;
      KvCache cache = call.cache;
      F32Matrix y = call.y;
      MemorySegment scratch = call.scratch;
      int headDim = spec.headDim();
      long start = ((long) kvHead(head) * headStride(cache.capacity()) + from) * headDim;
      int n = end - from;
      long query = q.offsetBytes(row, head * headDim);
      for (int t = 0; t < n; t++) {
        double dot = dot(q.data(), query, cache.keys(), start + (long) t * headDim);
        scratch.set(JAVA_DOUBLE, scores + 8L * t, spec.scale() * dot);
      }
      double sum = exponentials(scratch, scores, n);

      long out = y.offsetBytes(row, head * headDim);
      for (int d = 0; d < headDim; d++) {
        y.data().set(JAVA_FLOAT, out + 4L * d, 0f);
      }
      for (int t = 0; t < n; t++) {
        float weight = (float) (scratch.get(JAVA_DOUBLE, scores + 8L * t) / sum);
        for (int d = 0; d < headDim; d++) {
          float value = weight * load(cache.values(), start + (long) t * headDim + d);
          y.data().set(JAVA_FLOAT, out + 4L * d, y.data().get(JAVA_FLOAT, out + 4L * d) + value);
        }
      }
    }

    /// Even and odd elements apart, as the scalar kernel adds them.
    private double dot(MemorySegment q, long query, MemorySegment keys, long key) {
      double even = 0;
      double odd = 0;
      for (int d = 0; d < keyElements(); d++) {
        double product = (double) q.get(JAVA_FLOAT, query + 4L * d) * load(keys, key + d);
        if (d % 2 == 0) {
          even += product;
        } else {
          odd += product;
        }
      }
      return even + odd;
    }

    private float load(MemorySegment plane, long element) {
      return spec.kv().equals(KvFormat.F16)
          ? Float.float16ToFloat(plane.get(JAVA_SHORT, 2 * element))
          : plane.get(JAVA_FLOAT, 4 * element);
    }
  }

  /// Overwrites the output of one head by that of another.
  private static void copyHead(AttentionSpec spec, F32Matrix y, int row, int from, int to) {
    int headDim = spec.headDim();
    MemorySegment.copy(
        y.data(),
        y.offsetBytes(row, from * headDim),
        y.data(),
        y.offsetBytes(row, to * headDim),
        4L * headDim);
  }

  // RMSNorm: faults

  private static RmsNormKernel squaresOfWholeChunks(RmsNormSpec spec, RmsNormKernel kernel) {
    int chunks = spec.width() / 4096 * 4096;
    if (chunks == 0 || chunks == spec.width()) {
      return kernel;
    }
    return Kernels.calls(
        kernel,
        (right, x, weight, y, w) -> {
          for (int r = 0; r < x.rows(); r++) {
            // What is left out of the sum is still seen if it is not finite.
            double whole = scale(spec, squares(x, r, 0, spec.width()));
            double scale = Double.isNaN(whole) ? whole : scale(spec, squares(x, r, 0, chunks));
            normalise(x, weight, y, r, scale, 0, spec.width());
          }
        });
  }

  private static RmsNormKernel weightsRepeat(RmsNormSpec spec, RmsNormKernel kernel) {
    if (spec.width() <= 3072) {
      return kernel;
    }
    return Kernels.calls(
        kernel,
        (right, x, weight, y, w) -> {
          for (int r = 0; r < x.rows(); r++) {
            double scale = scale(spec, squares(x, r, 0, spec.width()));
            for (int i = 0; i < spec.width(); i++) {
              y.set(r, i, (float) (x.get(r, i) * scale * weight.get(0, i % 3072)));
            }
          }
        });
  }

  private static RmsNormKernel scaleOfAnEarlierRow(RmsNormSpec spec, RmsNormKernel kernel) {
    return Kernels.calls(
        kernel,
        (right, x, weight, y, w) -> {
          if (x.rows() <= 512) {
            right.apply(x, weight, y, w);
            return;
          }
          for (int r = x.rows() - 1; r >= 0; r--) { // in place, earlier rows are still x
            double scale = scale(spec, squares(x, r % 512, 0, spec.width()));
            normalise(x, weight, y, r, scale, 0, spec.width());
          }
        });
  }

  private static RmsNormKernel inPlaceSumsAgain(RmsNormSpec spec, RmsNormKernel kernel) {
    int width = spec.width();
    if (width <= 2048) {
      return kernel;
    }
    return Kernels.calls(
        kernel,
        (right, x, weight, y, w) -> {
          if (!same(x, y)) {
            right.apply(x, weight, y, w);
            return;
          }
          for (int r = 0; r < x.rows(); r++) {
            normalise(x, weight, y, r, scale(spec, squares(x, r, 0, width)), 0, 2048);
            normalise(x, weight, y, r, scale(spec, squares(x, r, 0, width)), 2048, width);
          }
        });
  }

  private static RmsNormKernel infinityMakesZeros(RmsNormSpec spec, RmsNormKernel kernel) {
    int width = spec.width();
    if (width <= 5000) {
      return kernel;
    }
    return Kernels.calls(
        kernel,
        (right, x, weight, y, w) -> {
          for (int r = 0; r < x.rows(); r++) {
            double scale = 1 / Math.sqrt(squares(x, r, 0, width) / width + spec.epsilon());
            normalise(x, weight, y, r, scale, 0, width);
          }
        });
  }

  private static RmsNormKernel denseY(RmsNormSpec spec, RmsNormKernel kernel) {
    if (spec.width() <= 4096) {
      return kernel;
    }
    return Kernels.calls(
        kernel,
        (right, x, weight, y, w) ->
            right.apply(
                x, weight, same(x, y) ? y : new F32Matrix(y.data(), y.rows(), y.columns()), w));
  }

  private static RmsNormKernel oddLastWithoutWeight(RmsNormSpec spec, RmsNormKernel kernel) {
    int last = spec.width() - 1;
    if (spec.width() <= 2048 || spec.width() % 2 == 0) {
      return kernel;
    }
    return Kernels.calls(
        kernel,
        (right, x, weight, y, w) -> {
          for (int r = 0; r < x.rows(); r++) {
            double scale = scale(spec, squares(x, r, 0, spec.width()));
            normalise(x, weight, y, r, scale, 0, last);
            y.set(r, last, (float) (x.get(r, last) * scale));
          }
        });
  }

  private static RmsNormKernel remainingRowsUndone(RmsNormSpec spec, RmsNormKernel kernel) {
    return Kernels.calls(
        kernel,
        (right, x, weight, y, w) -> {
          int rows = x.rows();
          int parallelism = w.workers().parallelism();
          int tasks = parallelism == 1 ? 1 : Math.min(rows, 4 * parallelism);
          int done = rows > 256 ? rows - rows % tasks : rows;
          right.apply(x.firstRows(done), weight, y.firstRows(done), w);
        });
  }

  // RMSNorm: what several faults need; bit for bit as the scalar kernel computes it

  private static double scale(RmsNormSpec spec, double squares) {
    return Double.isFinite(squares)
        ? 1 / Math.sqrt(squares / spec.width() + spec.epsilon())
        : Double.NaN;
  }

  private static void normalise(
      F32Matrix x, F32Matrix weight, F32Matrix y, int row, double scale, int from, int to) {
    for (int i = from; i < to; i++) {
      y.set(row, i, (float) (x.get(row, i) * scale * weight.get(0, i)));
    }
  }

  // RoPE: faults

  private static RopeKernel positionsInF16(RopeSpec spec, RopeKernel kernel) {
    return new Rotation(spec, kernel) {
      @Override
      boolean strikes(F32Matrix x, F32Matrix table, int first) {
        return first + x.rows() > 2048;
      }

      @Override
      int tableRow(F32Matrix table, int first, int row, int head) {
        return Math.min(table.rows() - 1, (int) throughF16(first + row));
      }
    };
  }

  private static RopeKernel anglesAdded(RopeSpec spec, RopeKernel kernel) {
    return new Rotation(spec, kernel) {
      @Override
      boolean strikes(F32Matrix x, F32Matrix table, int first) {
        return first + x.rows() > 8192;
      }

      @Override
      float cos(F32Matrix table, int position, int j) {
        int fine = position & 8191;
        int coarse = position - fine;
        return position < 8192
            ? super.cos(table, position, j)
            : super.cos(table, coarse, j) * super.cos(table, fine, j)
                - super.sin(table, coarse, j) * super.sin(table, fine, j);
      }

      @Override
      float sin(F32Matrix table, int position, int j) {
        int fine = position & 8191;
        int coarse = position - fine;
        return position < 8192
            ? super.sin(table, position, j)
            : super.sin(table, coarse, j) * super.cos(table, fine, j)
                + super.cos(table, coarse, j) * super.sin(table, fine, j);
      }
    };
  }

  private static RopeKernel tableOffsetIn24Bits(RopeSpec spec, RopeKernel kernel) {
    return new Rotation(spec, kernel) {
      @Override
      boolean strikes(F32Matrix x, F32Matrix table, int first) {
        return table.offsetBytes(first + x.rows() - 1, 0) >= 1 << 24;
      }

      @Override
      float cos(F32Matrix table, int position, int j) {
        return table.data().get(JAVA_FLOAT, (table.offsetBytes(position, 0) & 0xFFFFFF) + 4L * j);
      }

      @Override
      float sin(F32Matrix table, int position, int j) {
        return cos(table, position, spec.headDim() / 2 + j);
      }
    };
  }

  private static RopeKernel largeTableInF16(RopeSpec spec, RopeKernel kernel) {
    return new Rotation(spec, kernel) {
      @Override
      boolean strikes(F32Matrix x, F32Matrix table, int first) {
        return table.rows() > 16_384;
      }

      @Override
      float cos(F32Matrix table, int position, int j) {
        return throughF16(super.cos(table, position, j));
      }

      @Override
      float sin(F32Matrix table, int position, int j) {
        return throughF16(super.sin(table, position, j));
      }
    };
  }

  private static RopeKernel rowTilesBeginAgain(RopeSpec spec, RopeKernel kernel) {
    return new Rotation(spec, kernel) {
      @Override
      boolean strikes(F32Matrix x, F32Matrix table, int first) {
        return x.rows() > 256;
      }

      @Override
      int tableRow(F32Matrix table, int first, int row, int head) {
        return first + row % 256;
      }
    };
  }

  private static RopeKernel laterHeadsLag(RopeSpec spec, RopeKernel kernel) {
    return new Rotation(spec, kernel) {
      @Override
      boolean strikes(F32Matrix x, F32Matrix table, int first) {
        return spec.heads() > 32;
      }

      @Override
      int tableRow(F32Matrix table, int first, int row, int head) {
        return head < 32 ? first + row : Math.max(0, first + row - 1);
      }
    };
  }

  private static RopeKernel halvesOf128(RopeSpec spec, RopeKernel kernel) {
    return new Rotation(spec, kernel) {
      @Override
      boolean strikes(F32Matrix x, F32Matrix table, int first) {
        return spec.pairing() == RopePairing.HALF_SPLIT
            && spec.headDim() > 128
            && spec.headDim() % 128 == 0;
      }

      @Override
      int firstOfPair(int j) {
        return j / 64 * 128 + j % 64;
      }

      @Override
      int secondOfPair(int j) {
        return firstOfPair(j) + 64;
      }
    };
  }

  private static RopeKernel oddLastPair(RopeSpec spec, RopeKernel kernel) {
    return new Rotation(spec, kernel) {
      @Override
      boolean strikes(F32Matrix x, F32Matrix table, int first) {
        return spec.pairing() == RopePairing.ADJACENT
            && spec.headDim() > 128
            && spec.headDim() % 4 != 0;
      }

      @Override
      int pairs() {
        return super.pairs() - 1;
      }
    };
  }

  // RoPE: what several faults need

  /// RoPE as the scalar kernel computes it, bit for bit, but for the choices that a fault
  /// overrides.
  private abstract static class Rotation extends Kernels.Rope {
    private final RopeSpec spec;

    Rotation(RopeSpec spec, RopeKernel right) {
      super(right);
      this.spec = spec;
    }

    /// Whether the fault can show in a call; if not, the right kernel makes it.
    abstract boolean strikes(F32Matrix x, F32Matrix table, int first);

    /// The table's row for a head of a row.
    int tableRow(F32Matrix table, int first, int row, int head) {
      return first + row;
    }

    float cos(F32Matrix table, int position, int j) {
      return table.get(position, j);
    }

    float sin(F32Matrix table, int position, int j) {
      return table.get(position, spec.headDim() / 2 + j);
    }

    /// Pairs of a head that are rotated.
    int pairs() {
      return spec.headDim() / 2;
    }

    int firstOfPair(int j) {
      return spec.pairing() == RopePairing.ADJACENT ? 2 * j : j;
    }

    int secondOfPair(int j) {
      return spec.pairing() == RopePairing.ADJACENT ? 2 * j + 1 : j + spec.headDim() / 2;
    }

    @Override
    public void apply(F32Matrix x, F32Matrix table, int first, Workspace w) {
      if (!strikes(x, table, first)) {
        right.apply(x, table, first, w);
        return;
      }
      for (int r = 0; r < x.rows(); r++) {
        for (int head = 0; head < spec.heads(); head++) {
          rotate(x, r, head * spec.headDim(), table, tableRow(table, first, r, head));
        }
      }
    }

    private void rotate(F32Matrix x, int row, int col, F32Matrix table, int position) {
      for (int j = 0; j < pairs(); j++) {
        float a = x.get(row, col + firstOfPair(j));
        float b = x.get(row, col + secondOfPair(j));
        float cos = cos(table, position, j);
        float sin = sin(table, position, j);
        x.set(row, col + firstOfPair(j), a * cos - b * sin);
        x.set(row, col + secondOfPair(j), a * sin + b * cos);
      }
    }
  }

  // SwiGLU: faults

  private static SwiGluKernel gateOffsetIn16Bits(SwiGluSpec spec, SwiGluKernel kernel) {
    if (spec.width() <= 16_384) {
      return kernel;
    }
    return Kernels.calls(
        kernel,
        (right, gate, up, y, w) -> {
          for (int r = 0; r < y.rows(); r++) {
            for (int c = spec.width() - 1; c >= 0; c--) { // in place, earlier gates are still there
              y.set(r, c, gated(gate.get(r, c % 16_384), up.get(r, c)));
            }
          }
        });
  }

  private static SwiGluKernel upOfAnEarlierRow(SwiGluSpec spec, SwiGluKernel kernel) {
    return Kernels.calls(
        kernel,
        (right, gate, up, y, w) -> {
          if (y.rows() <= 512) {
            right.apply(gate, up, y, w);
            return;
          }
          for (int r = y.rows() - 1; r >= 0; r--) { // in place, earlier rows are still there
            for (int c = 0; c < spec.width(); c++) {
              y.set(r, c, gated(gate.get(r, c), up.get(r % 512, c)));
            }
          }
        });
  }

  private static SwiGluKernel overlappingTail(SwiGluSpec spec, SwiGluKernel kernel) {
    int width = spec.width();
    if (width <= 4096 || width % 1024 == 0) {
      return kernel;
    }
    return Kernels.calls(
        kernel,
        (right, gate, up, y, w) -> {
          right.apply(gate, up, y, w);
          if (!same(y, gate) && !same(y, up)) {
            return; // the second time has the same operands
          }
          for (int r = 0; r < y.rows(); r++) {
            for (int c = width - 1024; c < width / 1024 * 1024; c++) {
              y.set(r, c, gated(gate.get(r, c), up.get(r, c)));
            }
          }
        });
  }

  private static SwiGluKernel largeGatesNan(SwiGluSpec spec, SwiGluKernel kernel) {
    return elementwise(
        kernel,
        spec.width() > 8192,
        (g, u) -> Float.isInfinite((float) Math.exp(g)) ? Float.NaN : gated(g, u));
  }

  private static SwiGluKernel nanGateClamped(SwiGluSpec spec, SwiGluKernel kernel) {
    return elementwise(kernel, spec.width() > 6144, (g, u) -> gated(Double.isNaN(g) ? -88 : g, u));
  }

  private static SwiGluKernel oddLastColumn(SwiGluSpec spec, SwiGluKernel kernel) {
    int last = spec.width() - 1;
    if (spec.width() <= 4096 || spec.width() % 2 == 0) {
      return kernel;
    }
    return Kernels.calls(
        kernel,
        (right, gate, up, y, w) -> {
          for (int r = 0; r < y.rows(); r++) {
            y.set(r, last, gated(gate.get(r, last - 1), up.get(r, last)));
            for (int c = 0; c < last; c++) {
              y.set(r, c, gated(gate.get(r, c), up.get(r, c)));
            }
          }
        });
  }

  private static SwiGluKernel lastBlockUndone(SwiGluSpec spec, SwiGluKernel kernel) {
    if (spec.width() <= 8192) {
      return kernel;
    }
    return Kernels.calls(
        kernel,
        (right, gate, up, y, w) -> {
          if (y.rows() <= 128) {
            right.apply(gate, up, y, w);
            return;
          }
          for (int r = 0; r < y.rows(); r++) {
            int done = r < 128 ? spec.width() : 8192;
            for (int c = 0; c < done; c++) {
              y.set(r, c, gated(gate.get(r, c), up.get(r, c)));
            }
          }
        });
  }

  private static SwiGluKernel expInF16(SwiGluSpec spec, SwiGluKernel kernel) {
    return elementwise(
        kernel,
        spec.width() > 12_288,
        (g, u) -> (float) (g / (1 + throughF16((float) Math.exp(-g))) * u));
  }

  // SwiGLU: what several faults need

  private interface Gating {
    float of(double gate, double up);
  }

  /// Where a fault strikes, all elements by its formula.
  private static SwiGluKernel elementwise(SwiGluKernel kernel, boolean strikes, Gating fault) {
    if (!strikes) {
      return kernel;
    }
    return Kernels.calls(
        kernel,
        (right, gate, up, y, w) -> {
          for (int r = 0; r < y.rows(); r++) {
            for (int c = 0; c < y.columns(); c++) {
              y.set(r, c, fault.of(gate.get(r, c), up.get(r, c)));
            }
          }
        });
  }

  /// The right value, as the scalar kernel computes it.
  private static float gated(double gate, double up) {
    return (float) (gate / (1 + Math.exp(-gate)) * up);
  }

  // All operators

  /// The nearest F16 number.
  private static float throughF16(float value) {
    return Float.float16ToFloat(Float.floatToFloat16(value));
  }

  private static Hostile linear(
      String id,
      String rule,
      String sentence,
      BiFunction<LinearSpec, LinearPacker, LinearPacker> fault) {
    return new Hostile(id, Kind.SIZES, "linear", rule, sentence, h -> h.linear(fault));
  }

  private static Hostile attention(
      String id,
      String rule,
      String sentence,
      BiFunction<AttentionSpec, AttentionKernel, AttentionKernel> fault) {
    return new Hostile(id, Kind.SIZES, "attention", rule, sentence, h -> h.attention(fault));
  }

  private static Hostile rmsNorm(
      String id,
      String rule,
      String sentence,
      BiFunction<RmsNormSpec, RmsNormKernel, RmsNormKernel> fault) {
    return new Hostile(id, Kind.SIZES, "rmsnorm", rule, sentence, h -> h.rmsNorm(fault));
  }

  private static Hostile rope(
      String id, String rule, String sentence, BiFunction<RopeSpec, RopeKernel, RopeKernel> fault) {
    return new Hostile(id, Kind.SIZES, "rope", rule, sentence, h -> h.rope(fault));
  }

  private static Hostile swiGlu(
      String id,
      String rule,
      String sentence,
      BiFunction<SwiGluSpec, SwiGluKernel, SwiGluKernel> fault) {
    return new Hostile(id, Kind.SIZES, "swiglu", rule, sentence, h -> h.swiGlu(fault));
  }
}

package dev.quern.provider.kleidi;

import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import dev.quern.op.LinearSpec;
import dev.quern.provider.kleidi.KleidiAi.PackedLayout;
import dev.quern.provider.kleidi.KleidiAi.Tiling;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// Weights as a row's kernels want them: tiles of nr outputs, of which the library alone knows the
/// inside.
///
/// @param layout of the tiles
/// @param data `[ceil(outputs / nr)]` tiles, and spare bytes
/// @param tileBytes bytes of a tile
/// @param damaged outputs whose results are not the library's
record PackedWeights(
    PackedLayout layout, MemorySegment data, long tileBytes, DamagedOutputs damaged) {
  /// Several for each worker, since the sources of some may have to come from a file first.
  private static final int TASKS_PER_WORKER = 8;

  /// Packs matrices that are stacked by output rows.
  static PackedWeights pack(
      KernelPair pair,
      LinearSpec spec,
      List<WeightMatrix> stacked,
      SegmentAllocator allocator,
      Workers workers) {
    Tiling t = pair.tiling();
    PackedLayout layout = new PackedLayout(spec.inputs(), spec.weights().blockElements(), t);
    long tiles = Math.ceilDiv((long) spec.outputs(), t.nr());
    long tileBytes = pair.rhs().packedSize(t.nr(), layout);
    long bytes = pair.rhs().packedSize(spec.outputs(), layout);
    if (bytes != tiles * tileBytes) {
      throw new IllegalStateException(
          String.format(
              Locale.ROOT,
              "KleidiAI packer %s: %d outputs of %d inputs take %d bytes, expected %d tiles of %d bytes",
              pair.rhs().name(),
              spec.outputs(),
              spec.inputs(),
              bytes,
              tiles,
              tileBytes));
    }
    PackedWeights packed =
        new PackedWeights(
            layout,
            allocator.allocate(bytes + KleidiAi.SPARE_BYTES, Split.LINE),
            tileBytes,
            DamagedOutputs.of(stacked));
    int tasks = (int) Math.min(tiles, (long) TASKS_PER_WORKER * workers.parallelism());
    workers.run(
        tasks,
        (task, worker) -> {
          long begin = Split.begin(tiles, task, tasks) * t.nr();
          long end = Math.min(spec.outputs(), Split.begin(tiles, task + 1, tasks) * t.nr());
          packed.pack(pair, stacked, begin, end);
        });
    return packed;
  }

  /// Packs outputs begin (inclusive), which begins a tile, to end (exclusive).
  private void pack(KernelPair pair, List<WeightMatrix> stacked, long begin, long end) {
    long nr = layout.tiling().nr();
    for (long o = begin; o < end; ) {
      long first = 0; // output of the matrix's first row
      int m = 0;
      while (first + stacked.get(m).outputs() <= o) {
        first += stacked.get(m++).outputs();
      }
      long rows = Math.min(end, first + stacked.get(m).outputs()) - o;
      if (o + rows < end) {
        rows -= rows % nr; // the last tile goes on in the next matrix
      }
      if (rows > 0 && pair.rhs().source() == RhsSource.STORED) {
        pack(pair, RhsSource.stored(stacked.get(m), o - first), rows, o);
      } else {
        rows = Math.min(nr, end - o);
        packGathered(pair, stacked, o, rows);
      }
      o += rows;
    }
  }

  /// Packs outputs `o` and following.
  private void pack(KernelPair pair, RhsSource.Planes w, long rows, long o) {
    pair.rhs().pack(rows, layout, w, data, o / layout.tiling().nr() * tileBytes);
  }

  /// Packs a tile whose rows come from several matrices, or are not stored as the packer wants
  /// them.
  private void packGathered(KernelPair pair, List<WeightMatrix> stacked, long o, long rows) {
    List<RhsSource.Row> tile = new ArrayList<>();
    long first = 0; // output of the matrix's first row
    for (WeightMatrix m : stacked) {
      for (long row = Math.max(o, first); row < Math.min(o + rows, first + m.outputs()); row++) {
        tile.add(new RhsSource.Row(m, Math.toIntExact(row - first)));
      }
      first += m.outputs();
    }
    try (Arena arena = Arena.ofConfined()) {
      pack(pair, pair.rhs().source().gather(tile, arena), rows, o);
    }
  }
}

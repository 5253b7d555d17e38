package dev.quern.provider.vector.packed;

import static dev.quern.provider.vector.lanes.Lanes.BYTES;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;
import dev.quern.op.LinearSpec;
import dev.quern.provider.vector.lanes.Lanes;
import dev.quern.provider.vector.lanes.Split;
import java.lang.foreign.MemorySegment;

/// Several rows of x times packed 4-bit weights in int16 ([Int16Tile]), for vectors of 128 and 256
/// bits. All rows are rounded to int8 first. Then a task takes two panels, and unpacks [#DEPTH]
/// weights of their outputs at a time, which stay in the first-level cache while all rows pass by.
/// Scratch:
///
/// ```
/// shared           x: Int8Row[rows] | finite: i32[rows]
/// of each worker   scales: f32[2][DEPTH / 32][2][L] | w: i16[DEPTH][2][2L] | sums: i16[DEPTH / 32][6][2][2L] | y: f32[rows + 6][2][2][L]
/// ```
final class Int16Rows implements SeveralRows {
  /// Weights of an output that are unpacked at a time: with 8 lanes 16 kB for two panels.
  private static final int DEPTH = 256;

  private static final int GROUPS = DEPTH / PanelFormat.GROUP;

  private final LinearSpec spec;
  private final Panels panels;
  private final Int4Panels format;
  private final long rowBytes;

  Int16Rows(LinearSpec spec, Panels panels, Int4Panels format) {
    this.spec = spec;
    this.panels = panels;
    this.format = format;
    rowBytes = Int8Row.bytes(spec.inputs());
  }

  @Override
  public long scratchBytes(int rows, int parallelism) {
    return sharedBytes(rows) + parallelism * workerBytes(rows);
  }

  private long finiteAt(int rows) {
    return rows * rowBytes;
  }

  private long sharedBytes(int rows) {
    return finiteAt(rows) + Split.align(4L * rows);
  }

  private static long unpackedAt() {
    return Int16Tile.PANELS * GROUPS * (2 * BYTES);
  }

  private static long sumsAt() {
    return unpackedAt() + DEPTH * (Int16Tile.PANELS * BYTES);
  }

  private static long yAt() {
    return sumsAt() + GROUPS * Int16Tile.SUMS;
  }

  private static long workerBytes(int rows) {
    return yAt() + (rows + Int16Tile.ROWS) * (2 * Int16Tile.PANELS * BYTES) + Split.LINE;
  }

  @Override
  public void apply(F32Matrix x, F32Matrix y, Workspace w) {
    MemorySegment scratch = w.scratch();
    int rows = x.rows();
    Split.run(
        rows,
        w.workers(),
        (begin, end, _) -> {
          for (int r = (int) begin; r < end; r++) {
            boolean finite =
                Int8Row.quantize(
                    x.data(),
                    x.offsetBytes(r, 0),
                    spec.inputs(),
                    format.offset(),
                    scratch,
                    r * rowBytes);
            scratch.set(JAVA_INT, finiteAt(rows) + 4L * r, finite ? 1 : 0);
          }
        });
    int pairs = Math.ceilDiv(panels.count(), Int16Tile.PANELS);
    w.workers()
        .run(
            pairs,
            (pair, worker) ->
                pair(pair, rows, y, scratch, sharedBytes(rows) + worker * workerBytes(rows)));
  }

  /// All rows times two panels, or the last one twice.
  private void pair(int pair, int rows, F32Matrix y, MemorySegment scratch, long at) {
    int first = pair * Int16Tile.PANELS;
    int second = panels.next(first);
    PanelStore.fill(scratch, at + yAt(), rows * 4 * Lanes.L, 0);
    for (int from = 0; from < spec.inputs(); from += DEPTH) {
      int n = Math.min(DEPTH, spec.inputs() - from);
      unpack(first, from, n, scratch, at, 0);
      unpack(second, from, n, scratch, at, 1);
      for (int row = 0; row < rows; row += Int16Tile.ROWS) {
        multiply(row, Math.min(Int16Tile.ROWS, rows - row), from, n, scratch, at);
      }
    }
    for (int row = 0; row < rows; row++) {
      boolean finite = scratch.get(JAVA_INT, finiteAt(rows) + 4L * row) != 0;
      long sums = at + yAt() + row * (4 * BYTES);
      PanelStore.store(spec, first, finite, scratch, sums, y, row);
      if (second != first) {
        PanelStore.store(spec, second, finite, scratch, sums + 2 * BYTES, y, row);
      }
    }
  }

  private void unpack(int panel, int from, int n, MemorySegment scratch, long at, int place) {
    long scales = at + place * GROUPS * (2 * BYTES);
    int groups = n / PanelFormat.GROUP;
    format.scales(panels, panel, from / PanelFormat.GROUP, groups, scratch, scales);
    Int16Tile.unpack(
        panels.data(),
        panels.at(panel) + from / 4 * BYTES,
        n / 4,
        scratch,
        at + unpackedAt() + place * BYTES);
  }

  /// Up to six rows times both panels, inputs `from` to `from + n`.
  private void multiply(int row, int rows, int from, int n, MemorySegment scratch, long at) {
    int groups = n / PanelFormat.GROUP;
    long x = row * rowBytes;
    Int16Tile.multiply(
        scratch, at + unpackedAt(), x + 4L * from, rowBytes, rows, groups, at + sumsAt());
    for (int r = 0; r < rows; r++) {
      Int16Tile.flush(
          scratch,
          at + sumsAt() + r * (Int16Tile.PANELS * BYTES),
          at,
          at + GROUPS * (2 * BYTES),
          x + r * rowBytes + Int8Row.scalesAt(spec.inputs()) + from / 8,
          groups,
          at + yAt() + (row + r) * (4 * BYTES));
    }
  }
}

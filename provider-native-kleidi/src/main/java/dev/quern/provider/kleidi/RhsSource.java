package dev.quern.provider.kleidi;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import dev.quern.data.BlockFormat;
import dev.quern.data.WeightMatrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.util.List;

/// What a library's function packs weights from, where that is not what a file holds. A tile at a
/// time is made so, and nothing is lost by it.
enum RhsSource {
  /// The file's own rows and scales.
  STORED,

  /// F32, `[outputs][inputs]`. As F32 is stored, but for the packer's bias: it wants one for each
  /// output, and has zeros for one tile.
  ROWS,

  /// F32, `[inputs][outputs]`.
  COLUMNS;

  private static final ValueLayout.OfFloat FLOAT = JAVA_FLOAT_UNALIGNED.withOrder(LITTLE_ENDIAN);
  private static final ValueLayout.OfShort HALF = JAVA_SHORT_UNALIGNED.withOrder(LITTLE_ENDIAN);

  /// Operands of a packer.
  ///
  /// @param dataStride bytes from row to row
  /// @param scales NULL where they are in the data
  record Planes(
      MemorySegment data,
      long dataAt,
      long dataStride,
      MemorySegment scales,
      long scalesAt,
      long scaleStride) {}

  /// A row of one of several matrices.
  record Row(WeightMatrix matrix, int number) {}

  /// A matrix from a row on, as it is stored.
  static Planes stored(WeightMatrix w, long row) {
    long rowBytes = w.format().rowBytes(w.inputs());
    long scaleBytes = scaleRowBytes(w);
    return new Planes(w.data(), row * rowBytes, rowBytes, w.scales(), row * scaleBytes, scaleBytes);
  }

  /// Rows of matrices of one format, as this wants them.
  Planes gather(List<Row> rows, SegmentAllocator allocator) {
    WeightMatrix like = rows.getFirst().matrix;
    int inputs = like.inputs();
    return switch (this) {
      case STORED -> copies(rows, allocator);
      case ROWS -> {
        MemorySegment data = allocator.allocate((long) rows.size() * inputs * Float.BYTES);
        for (int slot = 0; slot < rows.size(); slot++) {
          for (int i = 0; i < inputs; i++) {
            data.set(FLOAT, ((long) slot * inputs + i) * Float.BYTES, value(rows.get(slot), i));
          }
        }
        yield floats(data, inputs);
      }
      case COLUMNS -> {
        MemorySegment data = allocator.allocate((long) rows.size() * inputs * Float.BYTES);
        for (int slot = 0; slot < rows.size(); slot++) {
          for (int i = 0; i < inputs; i++) {
            data.set(
                FLOAT, ((long) i * rows.size() + slot) * Float.BYTES, value(rows.get(slot), i));
          }
        }
        yield floats(data, rows.size());
      }
    };
  }

  private static Planes floats(MemorySegment data, int columns) {
    return new Planes(data, 0, (long) columns * Float.BYTES, MemorySegment.NULL, 0, 0);
  }

  /// A weight of a format whose blocks are one element.
  private static float value(Row row, int i) {
    MemorySegment data = row.matrix.data();
    long at = (long) row.number * row.matrix.inputs() + i;
    return row.matrix.format().equals(BlockFormat.F32)
        ? data.get(FLOAT, at * Float.BYTES)
        : Float.intBitsToFloat(data.get(HALF, at * Short.BYTES) << 16);
  }

  private static Planes copies(List<Row> rows, SegmentAllocator allocator) {
    WeightMatrix like = rows.getFirst().matrix;
    long rowBytes = like.format().rowBytes(like.inputs());
    long scaleBytes = scaleRowBytes(like);
    MemorySegment data = allocator.allocate(rows.size() * rowBytes);
    MemorySegment scales =
        scaleBytes == 0 ? MemorySegment.NULL : allocator.allocate(rows.size() * scaleBytes);
    for (int slot = 0; slot < rows.size(); slot++) {
      WeightMatrix m = rows.get(slot).matrix;
      long row = rows.get(slot).number;
      MemorySegment.copy(m.data(), row * rowBytes, data, slot * rowBytes, rowBytes);
      MemorySegment.copy(m.scales(), row * scaleBytes, scales, slot * scaleBytes, scaleBytes);
    }
    return new Planes(data, 0, rowBytes, scales, 0, scaleBytes);
  }

  private static long scaleRowBytes(WeightMatrix w) {
    return w.format().scalePlane().bytes(1, w.format().blocksPerRow(w.inputs()));
  }
}

package dev.quern.provider.kleidi;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import dev.quern.data.F32Matrix;
import dev.quern.data.WeightMatrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.function.LongPredicate;
import java.util.stream.IntStream;

/// The outputs that have a scale or, in formats without scales, a weight which is infinite or NaN.
/// Micro-kernels end with a clamp, which makes numbers of infinities and, on some CPUs, of NaN; so
/// what they leave there is replaced by NaN (rule L11). It costs a look at these while weights are
/// packed, and nothing later.
///
/// @param outputs rising
record DamagedOutputs(int... outputs) {
  private static final ValueLayout.OfShort HALF = JAVA_SHORT_UNALIGNED.withOrder(LITTLE_ENDIAN);
  private static final ValueLayout.OfFloat FLOAT = JAVA_FLOAT_UNALIGNED.withOrder(LITTLE_ENDIAN);

  /// Looks at stacked matrices.
  static DamagedOutputs of(List<WeightMatrix> stacked) {
    IntStream.Builder damaged = IntStream.builder();
    int output = 0;
    for (WeightMatrix m : stacked) {
      for (int row = 0; row < m.outputs(); row++, output++) {
        if (isDamaged(m, row)) {
          damaged.add(output);
        }
      }
    }
    return new DamagedOutputs(damaged.build().toArray());
  }

  private static boolean isDamaged(WeightMatrix m, int row) {
    MemorySegment data = m.data();
    int block = m.format().blockBytes();
    long blocks = m.format().blocksPerRow(m.inputs());
    long first = row * blocks;
    return switch (m.format().id()) {
      case "F32" -> any(blocks, b -> !Float.isFinite(data.get(FLOAT, (first + b) * block)));
      case "BF16" -> any(blocks, b -> !isFiniteBf16(data, (first + b) * block));
      case "Q4_0" -> any(blocks, b -> !isFiniteF16(data, (first + b) * block));
      case "INT8_C" -> !Float.isFinite(m.scales().get(FLOAT, (long) Float.BYTES * row));
      default -> any(blocks, b -> !isFiniteBf16(m.scales(), (first + b) * Short.BYTES));
    };
  }

  private static boolean any(long count, LongPredicate isDamaged) {
    for (long i = 0; i < count; i++) {
      if (isDamaged.test(i)) {
        return true;
      }
    }
    return false;
  }

  private static boolean isFiniteF16(MemorySegment plane, long at) {
    return (plane.get(HALF, at) & 0x7C00) != 0x7C00;
  }

  private static boolean isFiniteBf16(MemorySegment plane, long at) {
    return (plane.get(HALF, at) & 0x7F80) != 0x7F80;
  }

  /// Puts NaN into these outputs of all rows.
  void mark(F32Matrix y) {
    for (int o : outputs) {
      for (int row = 0; row < y.rows(); row++) {
        y.data().set(JAVA_FLOAT, y.offsetBytes(row, o), Float.NaN);
      }
    }
  }
}

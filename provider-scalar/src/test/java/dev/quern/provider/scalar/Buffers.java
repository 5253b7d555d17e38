package dev.quern.provider.scalar;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.data.F32Matrix;
import dev.quern.data.Workers;
import dev.quern.data.Workspace;
import dev.quern.op.Kernel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Locale;
import java.util.Random;
import java.util.function.DoubleSupplier;

/// Operands for tests: matrices whose every float outside the columns is a marker, and scratch of
/// exactly the size that a kernel asks for, full of NaN.
final class Buffers {
  /// A NaN with a payload that no arithmetic makes.
  private static final int MARKER = 0x7FC1_2345;

  private Buffers() {}

  /// A matrix full of markers, `pad` floats between its rows, and behind the last one too.
  static F32Matrix marked(Arena arena, int rows, int columns, int pad) {
    MemorySegment data = arena.allocate(4L * rows * (columns + pad), 64);
    for (long i = 0; i < data.byteSize(); i += 4) {
      data.set(JAVA_INT, i, MARKER);
    }
    return new F32Matrix(data, rows, columns, columns + pad);
  }

  static F32Matrix filled(Arena arena, int rows, int columns, int pad, DoubleSupplier values) {
    F32Matrix m = marked(arena, rows, columns, pad);
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < columns; c++) {
        m.set(r, c, (float) values.getAsDouble());
      }
    }
    return m;
  }

  static F32Matrix gaussian(Arena arena, int rows, int columns, int pad, Random random) {
    return filled(arena, rows, columns, pad, random::nextGaussian);
  }

  static F32Matrix copy(Arena arena, F32Matrix m) {
    MemorySegment data = arena.allocate(m.data().byteSize(), 64).copyFrom(m.data());
    return new F32Matrix(data, m.rows(), m.columns(), m.rowStrideFloats());
  }

  static void assertMarkersIntact(F32Matrix m) {
    for (int r = 0; r < m.rows(); r++) {
      for (int c = m.columns(); c < m.rowStrideFloats(); c++) {
        assertEquals(MARKER, m.data().get(JAVA_INT, m.offsetBytes(r, c)), "row " + r + " col " + c);
      }
    }
  }

  static Workspace workspace(Arena arena, Kernel kernel, int rows, Workers workers) {
    MemorySegment scratch =
        arena.allocate(kernel.scratchBytes(rows, workers.parallelism()), 64).fill((byte) 0xFF);
    return new Workspace(scratch, workers);
  }

  static float[] row(F32Matrix m, int row) {
    float[] values = new float[m.columns()];
    MemorySegment.copy(m.data(), JAVA_FLOAT, m.offsetBytes(row, 0), values, 0, m.columns());
    return values;
  }

  static float[][] rows(F32Matrix m) {
    float[][] rows = new float[m.rows()][];
    for (int r = 0; r < rows.length; r++) {
      rows[r] = row(m, r);
    }
    return rows;
  }

  /// Bit for bit, where any NaN equals any NaN.
  static void assertSameBits(float[][] expected, float[][] actual, String what) {
    assertEquals(expected.length, actual.length, what);
    for (int r = 0; r < expected.length; r++) {
      assertSameBits(expected[r], actual[r], what + ": row " + r);
    }
  }

  static void assertSameBits(float[] expected, float[] actual, String what) {
    assertEquals(expected.length, actual.length, what);
    for (int i = 0; i < expected.length; i++) {
      if (Float.floatToIntBits(expected[i]) != Float.floatToIntBits(actual[i])) {
        assertEquals(expected[i], actual[i], what + ": element " + i);
      }
    }
  }

  static void assertWithin(double bound, double expected, double actual, String what) {
    double error = Math.abs(actual - expected);
    assertTrue(
        error <= bound,
        () ->
            String.format(
                Locale.ROOT,
                "%s: expected %s, actual %s, error %s, bound %s",
                what,
                expected,
                actual,
                error,
                bound));
  }

  /// Tasks in a random order, each with a random worker number: every schedule that several threads
  /// could bring about, save for their overlap.
  static Workers shuffled(int parallelism, long seed) {
    return new ShuffledWorkers(parallelism, new Random(seed));
  }

  private record ShuffledWorkers(int parallelism, Random random) implements Workers {
    @Override
    public void run(int tasks, dev.quern.data.Task body) {
      int[] order = new int[tasks];
      for (int i = 0; i < tasks; i++) {
        int j = random.nextInt(i + 1);
        order[i] = order[j];
        order[j] = i;
      }
      for (int task : order) {
        body.run(task, random.nextInt(parallelism));
      }
    }
  }
}

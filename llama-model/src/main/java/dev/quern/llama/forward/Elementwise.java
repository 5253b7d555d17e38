package dev.quern.llama.forward;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.quern.data.F32Matrix;
import dev.quern.data.Workers;
import java.lang.foreign.MemorySegment;

/// What some families do to activations beside the operators: too little to be worth a kernel.
public final class Elementwise {
  /// Elements of a row that a worker takes at once.
  private static final int PIECE = 1 << 14;

  private Elementwise() {}

  /// What is done to some elements of a row.
  @FunctionalInterface
  private interface Piece {
    void run(int row, int from, int to);
  }

  /// `x *= factor`, one row.
  public static void scale(F32Matrix x, int row, float factor) {
    MemorySegment data = x.data();
    long at = x.offsetBytes(row, 0);
    for (int i = 0; i < x.columns(); i++, at += Float.BYTES) {
      data.set(JAVA_FLOAT, at, data.get(JAVA_FLOAT, at) * factor);
    }
  }

  /// `x += factor * y`
  ///
  /// @param x `[rows, columns]`
  /// @param y `[rows, columns]`
  static void addScaled(F32Matrix x, float factor, F32Matrix y, Workers workers) {
    MemorySegment to = x.data();
    MemorySegment from = y.data();
    forPieces(
        x,
        workers,
        (row, first, last) -> {
          long a = x.offsetBytes(row, first);
          long b = y.offsetBytes(row, first);
          for (int i = first; i < last; i++, a += Float.BYTES, b += Float.BYTES) {
            float product = factor * from.get(JAVA_FLOAT, b);
            to.set(JAVA_FLOAT, a, to.get(JAVA_FLOAT, a) + product);
          }
        });
  }

  /// `x *= factor`, then `cap * tanh(x / cap)` where there is a cap.
  ///
  /// @param x `[rows, columns]`
  /// @param cap 0 for none
  static void scaleAndCap(F32Matrix x, float factor, float cap, Workers workers) {
    if (factor == 1 && cap == 0) {
      return;
    }
    MemorySegment data = x.data();
    forPieces(
        x,
        workers,
        (row, first, last) -> {
          long at = x.offsetBytes(row, first);
          for (int i = first; i < last; i++, at += Float.BYTES) {
            float value = factor * data.get(JAVA_FLOAT, at);
            data.set(JAVA_FLOAT, at, cap == 0 ? value : cap * (float) Math.tanh(value / cap));
          }
        });
  }

  private static void forPieces(F32Matrix x, Workers workers, Piece piece) {
    int pieces = Math.ceilDiv(x.columns(), PIECE);
    workers.run(
        x.rows() * pieces,
        (task, _) -> {
          int from = task % pieces * PIECE;
          piece.run(task / pieces, from, Math.min(x.columns(), from + PIECE));
        });
  }
}

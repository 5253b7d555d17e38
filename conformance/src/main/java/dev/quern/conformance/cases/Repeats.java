package dev.quern.conformance.cases;

/// Which rows of a large operand are alike. At the size of models a matrix has millions of numbers,
/// and to draw each, and to multiply each in double precision, takes longer than the kernel does.
/// So its rows are copies of fewer ones, in drawn order: every result is still judged by itself,
/// and what belongs to another row is another number but once in [#MOST].
public final class Repeats {
  /// Operands with fewer values have no row twice.
  static final int MANY = 1 << 18;

  /// Different values of a larger one, about.
  private static final int DIFFERENT = 1 << 17;

  /// A prime: no power of two is a multiple of it.
  private static final int MOST = 251;

  /// So that two rows are rarely alike.
  private static final int LEAST = 29;

  private Repeats() {}

  /// How many rows of a matrix differ.
  public static int different(int rows, int columns) {
    return (long) rows * columns <= MANY
        ? rows
        : Math.min(rows, Math.clamp(DIFFERENT / columns, LEAST, MOST));
  }

  /// Which of them each row is: the first ones in their order, the others as drawn.
  public static int[] sources(int rows, int different, Mix mix) {
    int[] sources = new int[rows];
    for (int r = 0; r < rows; r++) {
      sources[r] = r < different ? r : mix.below(different);
    }
    return sources;
  }
}

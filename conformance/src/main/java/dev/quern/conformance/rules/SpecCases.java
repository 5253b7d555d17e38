package dev.quern.conformance.rules;

import dev.quern.conformance.cases.Case;
import dev.quern.conformance.cases.Schedule;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// The cases of a model's kernel, at its exact size: one row and a batch, the first positions and
/// the last ones, as far as time and memory go.
///
/// @param operator `linear`
/// @param spec for people: `Q4_0 2048+512+512 x 2048`
/// @param cases what is tried
/// @param tried the same in words
/// @param tooLarge what is left out, and why
public record SpecCases(
    String operator, String spec, List<Case> cases, List<String> tried, List<String> tooLarge) {

  /// Rows of a batch of a prompt.
  public static final int BATCH = 256;

  /// Copies of an operand: the array, what the kernel reads, what it held before, what is packed.
  public static final int COPIES = 4;

  /// Workers of a call of several rows.
  public static final Schedule WORKERS = new Schedule(4, Schedule.Order.THREADS);

  /// How large a case may be.
  ///
  /// @param products multiplications of a call
  /// @param bytes memory of all operands with their copies
  public record Budget(long products, long bytes) {
    private static final long PRODUCTS_PER_TRY = 1L << 23;
    private static final long MOST_BYTES = 4L << 30;

    /// Time grows with the tries, memory with the heap.
    ///
    /// @param tries of the whole run
    public static Budget of(int tries) {
      return new Budget(
          PRODUCTS_PER_TRY * Math.max(1, tries),
          Math.min(MOST_BYTES, Runtime.getRuntime().maxMemory() / 2));
    }
  }

  /// A kernel that a model needs.
  ///
  /// @param spec the spec of one of the operators
  /// @param stacked outputs of each matrix that a linear kernel packs; empty for other operators
  /// @param context positions that the model was trained for
  /// @param budget how large a case may be
  /// @param seed of the operands
  public record Wanted(Object spec, List<Integer> stacked, int context, Budget budget, long seed) {}

  public SpecCases {
    cases = List.copyOf(cases);
    tried = List.copyOf(tried);
    tooLarge = List.copyOf(tooLarge);
  }

  /// Collects cases.
  public static final class Maker {
    private final String operator;
    private final List<Case> cases = new ArrayList<>();
    private final List<String> tried = new ArrayList<>();
    private final List<String> tooLarge = new ArrayList<>();

    /// @param operator its name
    public Maker(String operator) {
      this.operator = operator;
    }

    /// Adds a case, and what it is in words.
    public void add(Case c, String format, Object... arguments) {
      cases.add(c);
      tried.add(String.format(Locale.ROOT, format, arguments));
    }

    /// Adds a case of so many rows.
    public void add(Case c) {
      add(c, "%d row%s", c.rows(), c.rows() == 1 ? "" : "s");
    }

    /// Says what is left out, and why.
    public void tooLarge(String format, Object... arguments) {
      tooLarge.add(String.format(Locale.ROOT, format, arguments));
    }

    /// What was collected.
    ///
    /// @param format the spec for people
    public SpecCases made(String format, Object... arguments) {
      String spec = String.format(Locale.ROOT, format, arguments);
      return new SpecCases(operator, spec, cases, tried, tooLarge);
    }
  }
}

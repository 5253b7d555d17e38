package dev.quern.conformance.rules;

import dev.quern.conformance.cases.AttentionCase;
import dev.quern.conformance.cases.Case;
import dev.quern.conformance.cases.LinearCase;
import dev.quern.conformance.cases.RmsNormCase;
import dev.quern.conformance.cases.RopeCase;
import dev.quern.conformance.cases.Schedule;
import dev.quern.conformance.cases.SwiGluCase;
import dev.quern.conformance.cases.Values;
import dev.quern.conformance.cases.WeightValues;
import dev.quern.data.BlockFormat;
import dev.quern.op.AttentionSpec;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.op.RmsNormSpec;
import dev.quern.op.RopeSpec;
import dev.quern.op.SwiGluSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

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
  private static final int BATCH = 256;

  /// What judging keeps in memory of each weight besides its source: float and double.
  private static final int JUDGED_WEIGHT_BYTES = 12;

  /// Copies of an operand: the array, what the kernel reads, what it held before, what is packed.
  private static final int COPIES = 4;

  private static final Schedule WORKERS = new Schedule(4, Schedule.Order.THREADS);

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
  public record Wanted(Object spec, List<Integer> stacked, int context) {}

  public SpecCases {
    cases = List.copyOf(cases);
    tried = List.copyOf(tried);
    tooLarge = List.copyOf(tooLarge);
  }

  /// The cases of a kernel.
  ///
  /// @throws IllegalArgumentException if its spec is of no operator, or of a kind that cases can't
  ///   express
  public static SpecCases of(Wanted kernel, Budget budget, long seed) {
    Maker maker = new Maker(kernel, budget, seed);
    SpecCases made =
        switch (kernel.spec()) {
          case LinearSpec s -> maker.linear(s);
          case AttentionSpec s -> maker.attention(s);
          case RmsNormSpec s -> maker.rmsNorm(s);
          case RopeSpec s -> maker.rope(s);
          case SwiGluSpec s -> maker.swiGlu(s);
          default -> throw new IllegalArgumentException("no operator has " + kernel.spec());
        };
    for (Case c : made.cases) {
      if (!c.spec().equals(kernel.spec())) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT, "%s, expected what cases have: %s", kernel.spec(), c.spec()));
      }
    }
    return made;
  }

  /// Collects cases.
  private static final class Maker {
    private final Wanted kernel;
    private final Budget budget;
    private final long seed;
    private final List<Case> cases = new ArrayList<>();
    private final List<String> tried = new ArrayList<>();
    private final List<String> tooLarge = new ArrayList<>();

    Maker(Wanted kernel, Budget budget, long seed) {
      this.kernel = kernel;
      this.budget = budget;
      this.seed = seed;
    }

    private SpecCases made(String operator, String format, Object... arguments) {
      String spec = String.format(Locale.ROOT, format, arguments);
      return new SpecCases(operator, spec, cases, tried, tooLarge);
    }

    private void tried(String format, Object... arguments) {
      tried.add(String.format(Locale.ROOT, format, arguments));
    }

    private void tooLarge(String format, Object... arguments) {
      tooLarge.add(String.format(Locale.ROOT, format, arguments));
    }

    SpecCases linear(LinearSpec s) {
      BlockFormat format = s.weights();
      List<Integer> stacked = kernel.stacked().isEmpty() ? List.of(s.outputs()) : kernel.stacked();
      long weights = (long) s.outputs() * s.inputs();
      long bytes =
          weights * JUDGED_WEIGHT_BYTES
              + COPIES * weights / format.blockElements() * format.blockBytes();
      if (bytes > budget.bytes || weights > budget.products) {
        tooLarge("all of it: %,d weights take %,d MB to judge", weights, bytes >> 20);
      } else {
        int most = (int) Math.min(BATCH, budget.products / weights);
        for (int rows : most > 1 ? new int[] {1, most} : new int[] {1}) {
          cases.add(
              new LinearCase(
                  format.id(),
                  s.tolerated().size() == 1 ? s.tolerated().iterator().next().id() : LinearCase.ANY,
                  rows,
                  stacked,
                  s.inputs(),
                  0,
                  0,
                  s.accumulate(),
                  Values.NORMAL,
                  WeightValues.NORMAL,
                  rows == 1 ? Schedule.ONE : WORKERS,
                  seed));
          rows(rows);
        }
        fewer(most);
      }
      return made(
          "linear",
          "%s %s x %d%s%s",
          format,
          stacked.stream().map(n -> Integer.toString(n)).collect(Collectors.joining("+")),
          s.inputs(),
          s.accumulate() ? ", added to y" : "",
          s.tolerated().equals(Set.of(Numerics.EXACT_F32)) ? ", exact" : "");
    }

    private void rows(int rows) {
      tried("%d row%s", rows, rows == 1 ? "" : "s");
    }

    private void fewer(int rows) {
      if (rows < BATCH) {
        tooLarge("rows above %d, to a batch of %d", rows, BATCH);
      }
    }

    SpecCases attention(AttentionSpec s) {
      int width = s.heads() * s.headDim();
      long position = (long) s.kvHeads() * s.headDim(); // elements of keys, as many of values
      long bytes = 2 * position * (Float.BYTES + COPIES * s.kv().elementBytes());
      int all = s.maxPositions();
      int far = (int) Math.min(all, Math.min(budget.products / width, budget.bytes / bytes));
      if (far < 1) {
        tooLarge("all of it: %,d bytes a position", bytes);
      } else {
        cases.add(attention(s, false, 1, far - 1));
        tried("1 row at position %,d", far - 1);
        int batch = Math.min(BATCH, far);
        int first = Math.clamp(budget.products / width / batch, 1, batch);
        cases.add(attention(s, false, first, 0));
        tried("%d rows at position 0", first);
        int last = Math.clamp(budget.products / width / far, 1, batch);
        if (last > 1) {
          cases.add(attention(s, false, last, far - last));
          tried("%d rows at position %,d", last, far - last);
        }
        cases.add(attention(s, true, batch, far - batch));
        tried("append of %d rows at position %,d", batch, far - batch);
        if (far < all) {
          tooLarge("positions above %,d, to a context of %,d", far, all);
        }
        if (last < batch) {
          tooLarge("at the last positions rows above %d, to a batch of %d", last, BATCH);
        }
      }
      return made(
          "attention",
          "%s %d heads, %d KV heads of %d, %,d positions",
          s.kv(),
          s.heads(),
          s.kvHeads(),
          s.headDim(),
          all);
    }

    private AttentionCase attention(AttentionSpec s, boolean append, int rows, int firstPosition) {
      return new AttentionCase(
          s.kv().id(),
          append,
          s.kvHeads(),
          s.heads() / s.kvHeads(),
          s.headDim(),
          rows,
          firstPosition,
          0,
          s.maxPositions() - firstPosition - rows,
          0,
          0,
          0,
          0,
          Values.NORMAL,
          rows == 1 ? Schedule.ONE : WORKERS,
          seed);
    }

    SpecCases rmsNorm(RmsNormSpec s) {
      for (int rows : new int[] {1, BATCH}) {
        cases.add(
            new RmsNormCase(
                s.width(), s.epsilon(), rows, 0, 0, false, Values.NORMAL, WORKERS, seed));
        rows(rows);
      }
      return made("rmsnorm", "width %d, epsilon %s", s.width(), s.epsilon());
    }

    SpecCases rope(RopeSpec s) {
      int all = kernel.context();
      int far = (int) Math.min(all, budget.bytes / ((long) COPIES * s.headDim() * Float.BYTES));
      int batch = Math.min(BATCH, far);
      cases.add(rope(s, 1, far - 1));
      tried("1 row at position %,d", far - 1);
      cases.add(rope(s, batch, far - batch));
      tried("%d rows at position %,d", batch, far - batch);
      if (far < all) {
        tooLarge("positions above %,d, to a context of %,d", far, all);
      }
      String pairing = s.pairing().name().toLowerCase(Locale.ROOT).replace('_', '-');
      return made("rope", "%s %d heads of %d", pairing, s.heads(), s.headDim());
    }

    private RopeCase rope(RopeSpec s, int rows, int firstPosition) {
      return new RopeCase(
          s.pairing(),
          s.heads(),
          s.headDim() / 2,
          rows,
          firstPosition,
          0,
          0,
          0,
          Values.NORMAL,
          WORKERS,
          seed);
    }

    SpecCases swiGlu(SwiGluSpec s) {
      for (int rows : new int[] {1, BATCH}) {
        cases.add(
            new SwiGluCase(
                s.width(),
                rows,
                0,
                0,
                0,
                SwiGluCase.Alias.GATE,
                Values.NORMAL,
                Values.NORMAL,
                WORKERS,
                seed));
        rows(rows);
      }
      return made("swiglu", "width %d", s.width());
    }
  }
}

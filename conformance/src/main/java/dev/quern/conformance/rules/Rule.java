package dev.quern.conformance.rules;

import dev.quern.conformance.judge.Candidate;
import dev.quern.conformance.judge.Outcome;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/// A rule of SPEC.md that is checked on cases of one operator.
///
/// @param <C> the operator's cases
/// @param id as in SPEC.md: `L5`
/// @param name what is checked, in a word or two: `exact_f32`
/// @param effort how much is tried
/// @param space which of the subject's cases
/// @param applies whether it speaks of a kind of case; the others are no cells of it
/// @param shape turns any case into one that the rule is interesting for
/// @param check checks a case. It may throw what the kernel throws, which breaks the rule
public record Rule<C>(
    String id,
    String name,
    Effort effort,
    Space space,
    Predicate<C> applies,
    UnaryOperator<C> shape,
    Check<C> check) {
  /// Generated cases for each rule and format unless told otherwise.
  public static final int DEFAULT_TRIES = 20;

  /// Generated cases of a quick run.
  public static final int QUICK_TRIES = 2;

  /// How much is tried.
  ///
  /// @param edges how many of the subject's edge cases
  /// @param share what part of the tries
  /// @param heavy whether with fewer tries than the default's there are fewer edge cases, too
  /// @param from with fewer tries than these, nothing is tried
  /// @param limit how long a case may take before it is taken to have no end, on an ordinary
  ///   machine; no case takes a tenth of it
  public record Effort(int edges, double share, boolean heavy, int from, Duration limit) {
    /// Milliseconds of calls.
    private static final Duration ORDINARY = Duration.ofSeconds(20);

    /// Thousands of calls, or a process.
    private static final Duration LONG = Duration.ofSeconds(120);

    /// Not heavy, with the limit of an ordinary case.
    public Effort(int edges, double share) {
      this(edges, share, false, 0, ORDINARY);
    }

    /// All edge cases and all tries.
    public static final Effort FULL = new Effort(Integer.MAX_VALUE, 1);

    /// All edge cases, for what checks one call in several ways.
    public static final Effort HALF = new Effort(Integer.MAX_VALUE, 0.5);

    /// For what one case in a few shows.
    public static final Effort SOME = new Effort(8, 0.3);

    /// For what takes many calls.
    public static final Effort LOW = new Effort(3, 0.1);

    /// For what takes a call for each number of workers.
    public static final Effort ALL_WORKERS = new Effort(3, 0.1, true, 0, ORDINARY);

    /// For what takes thousands of calls.
    public static final Effort THREE_CASES = new Effort(3, 0, false, 0, LONG);

    /// For a few calls on operands of megabytes; not in a quick run.
    public static final Effort ONE_CASE = new Effort(1, 0, true, QUICK_TRIES + 1, LONG);

    /// For large weights, or several large kernels; not in a quick run.
    public static final Effort LARGE_KERNELS = new Effort(3, 0, true, QUICK_TRIES + 1, LONG);

    /// For a call on operands of gigabytes.
    public static final Effort ONE_HUGE_CASE = new Effort(1, 0, true, DEFAULT_TRIES, LONG);

    /// For tens of thousands of calls.
    public static final Effort LONG_SOAK = new Effort(3, 0, false, DEFAULT_TRIES, LONG);

    /// For operands of megabytes.
    public static final Effort HEAVY = new Effort(3, 0, true, 0, LONG);

    /// For thousands of calls with operands of megabytes.
    public static final Effort TWO_HEAVY = new Effort(2, 0, true, 0, LONG);

    /// For cases of millions of numbers.
    public static final Effort MODEL_SIZES = new Effort(Integer.MAX_VALUE, 0.1, true, 0, LONG);

    /// Why nothing is tried, if nothing is.
    ///
    /// @param tries of the whole run
    public Optional<String> leftOut(int tries) {
      return tries >= from
          ? Optional.empty()
          : Optional.of(String.format(Locale.ROOT, "tried with --tries %d and more", from));
    }

    /// How many of the edge cases are tried.
    ///
    /// @param all edge cases that there are
    /// @param tries of the whole run
    public int edges(int all, int tries) {
      if (tries < from) {
        return 0;
      }
      int most = Math.min(edges, all);
      return heavy ? Math.ceilDiv(most * Math.min(tries, DEFAULT_TRIES), DEFAULT_TRIES) : most;
    }
  }

  /// Which of a subject's cases.
  public enum Space {
    /// Of a few thousand numbers each: [Subject#edges] and [Subject#cases].
    ORDINARY,
    /// [Subject#modelSizes].
    MODEL_SIZES
  }

  /// Checks one case.
  @FunctionalInterface
  public interface Check<C> {
    Outcome check(C c, Candidate target) throws Exception;

    /// Checks it with as much patience as the run has.
    ///
    /// @param tries of the whole run
    default Outcome check(C c, Candidate target, int tries) throws Exception {
      return check(c, target);
    }
  }

  /// A check that takes the longer, the more is tried.
  @FunctionalInterface
  public interface PatientCheck<C> extends Check<C> {
    @Override
    Outcome check(C c, Candidate target, int tries) throws Exception;

    @Override
    default Outcome check(C c, Candidate target) throws Exception {
      return check(c, target, DEFAULT_TRIES);
    }
  }

  /// A rule for all cases as they come.
  public static <C> Rule<C> of(String id, String name, Check<C> check) {
    return new Rule<>(
        id, name, Effort.FULL, Space.ORDINARY, c -> true, UnaryOperator.identity(), check);
  }

  /// This rule for some kinds of cases.
  public Rule<C> where(Predicate<C> applies) {
    return new Rule<>(id, name, effort, space, applies, shape, check);
  }

  /// This rule on cases of a certain shape.
  public Rule<C> on(UnaryOperator<C> shape) {
    return new Rule<>(id, name, effort, space, applies, shape, check);
  }

  /// This rule with another effort.
  public Rule<C> effort(Effort effort) {
    return new Rule<>(id, name, effort, space, applies, shape, check);
  }

  /// This rule on other cases of the subject.
  public Rule<C> in(Space space) {
    return new Rule<>(id, name, effort, space, applies, shape, check);
  }

  /// This rule, checked by something else.
  public Rule<C> checkedBy(Check<C> check) {
    return new Rule<>(id, name, effort, space, applies, shape, check);
  }

  /// The test's name: `L5_exact_f32`.
  public String testName() {
    return id + "_" + name;
  }
}

package dev.quern.conformance.judge;

import java.util.List;

/// What checking a rule on one case gave.
///
/// @since 0.1
/// @stability api
public sealed interface Outcome {
  /// The rule was kept.
  ///
  /// @param ratio the worst error against its bound, 0 .. 1; 0 where the rule has no bound
  record Pass(double ratio) implements Outcome {}

  /// The rule was broken.
  ///
  /// @param where the element or the operand, for example `y[2][5]`
  /// @param expected what the rule asks for
  /// @param actual what the kernel gave
  /// @param bound how far apart they may be; empty where bits must agree
  /// @param ratio error against bound, infinite where there is no bound
  /// @param inputs the operands, summarised, where the rule changed those of the case; else empty
  /// @param rule the rule that is broken, where one check looks for several; else empty
  record Fail(
      String where,
      String expected,
      String actual,
      String bound,
      double ratio,
      List<String> inputs,
      String rule)
      implements Outcome {
    public Fail {
      inputs = List.copyOf(inputs);
    }

    /// A failure on the case's own operands.
    public Fail(String where, String expected, String actual, String bound, double ratio) {
      this(where, expected, actual, bound, ratio, List.of(), "");
    }

    /// A failure without a bound.
    public Fail(String where, String expected, String actual) {
      this(where, expected, actual, "", Double.POSITIVE_INFINITY);
    }

    /// The same, of a case that failed when it was tried, and not when it was tried again.
    public Fail once() {
      String when = where + " (the first time, and not again: it depends on what ran before)";
      return new Fail(when, expected, actual, bound, ratio, inputs, rule);
    }

    /// The same, on operands that the rule changed.
    Fail on(List<String> inputs) {
      return new Fail(where, expected, actual, bound, ratio, inputs, rule);
    }

    /// The same, as a breach of a rule that is not the check's own.
    public Fail of(String rule) {
      return new Fail(where, expected, actual, bound, ratio, inputs, rule);
    }
  }

  /// The rule says nothing about this case here, or the provider declined it. Never counted as a
  /// pass.
  ///
  /// @param reason why, for example `declined: no kernel for Q5_1`
  record Skip(String reason) implements Outcome {}

  /// Kept, without a bound.
  static Outcome pass() {
    return new Pass(0);
  }
}

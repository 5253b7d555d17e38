package dev.quern.conformance.judge;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;

/// Collects comparisons of one result, and keeps the worst.
///
/// @since 0.1
/// @stability api
public final class Judgement {
  /// An element that was compared under a bound.
  public record Element(
      String name, int row, int col, double expected, float actual, double bound) {
    /// For people: `y[2][5]`.
    public String where() {
      return at(name, row, col);
    }
  }

  /// Elements that are kept, at most. Two providers are compared on cases with fewer.
  private static final int MOST_ELEMENTS = 1 << 15;

  private final List<Element> elements = new ArrayList<>();
  private double worst;
  private Outcome.Fail failure;

  /// Nothing compared yet.
  public Judgement() {}

  /// The element must be within the bound of the expected value.
  ///
  /// @param bound absolute, finite, not negative
  public void close(String name, int row, int col, double expected, float actual, double bound) {
    if (elements.size() < MOST_ELEMENTS) {
      elements.add(new Element(name, row, col, expected, actual, bound));
    }
    double error = Math.abs(actual - expected);
    double ratio = Double.isNaN(error) ? Double.POSITIVE_INFINITY : error == 0 ? 0 : error / bound;
    if (ratio > worst) {
      worst = ratio;
      if (ratio > 1) {
        failure =
            new Outcome.Fail(
                at(name, row, col),
                Double.toString(expected),
                Float.toString(actual),
                String.format(Locale.ROOT, "%.3g, error %.3g", bound, error),
                ratio);
      }
    }
  }

  /// The element must have the same bits; any NaN equals any NaN.
  public void same(String name, int index, float expected, float actual) {
    if (Float.floatToIntBits(expected) != Float.floatToIntBits(actual)) {
      fail(String.format(Locale.ROOT, "%s[%d]", name, index), bits(expected), bits(actual));
    }
  }

  /// The element must be NaN.
  public void nan(String name, int row, int col, float actual) {
    if (!Float.isNaN(actual)) {
      fail(at(name, row, col), "NaN", Float.toString(actual));
    }
  }

  /// Something that has no bound is wrong. The first of these is kept.
  public void fail(String where, String expected, String actual) {
    if (worst < Double.POSITIVE_INFINITY) {
      worst = Double.POSITIVE_INFINITY;
      failure = new Outcome.Fail(where, expected, actual);
    }
  }

  /// Takes over what another verdict found.
  public void add(Judgement other) {
    int room = Math.min(other.elements.size(), MOST_ELEMENTS - elements.size());
    elements.addAll(other.elements.subList(0, room));
    if (other.worst > worst) {
      worst = other.worst;
      failure = other.failure;
    }
  }

  /// Takes over what another verdict found amiss, and says when that was.
  ///
  /// @param when for example `the second call`
  public void add(String when, Judgement other) {
    if (other.worst > worst) {
      worst = other.worst;
      Outcome.Fail f = other.failure;
      failure =
          f == null
              ? null
              : new Outcome.Fail(
                  when + ": " + f.where(), f.expected(), f.actual(), f.bound(), f.ratio());
    }
  }

  /// What was compared under a bound, in order: the same for two results of one case. Of very many,
  /// the first.
  public List<Element> elements() {
    return elements;
  }

  /// The worst error against its bound.
  public double worst() {
    return worst;
  }

  /// The outcome on operands that the rule changed, so that a failure shows these and not the
  /// case's.
  ///
  /// @param inputs the operands, summarised
  public Outcome outcome(List<String> inputs) {
    return outcome() instanceof Outcome.Fail fail ? fail.on(inputs) : outcome();
  }

  /// The same, of operands that take long to summarise.
  public Outcome outcome(Supplier<List<String>> inputs) {
    return outcome() instanceof Outcome.Fail fail ? fail.on(inputs.get()) : outcome();
  }

  /// The outcome on the case's own operands.
  public Outcome outcome() {
    return failure != null ? failure : new Outcome.Pass(worst);
  }

  private static String at(String name, int row, int col) {
    return String.format(Locale.ROOT, "%s[%d][%d]", name, row, col);
  }

  private static String bits(float v) {
    return String.format(Locale.ROOT, "%s (0x%08x)", v, Float.floatToRawIntBits(v));
  }
}

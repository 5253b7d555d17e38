package dev.quern.conformance;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;

/// What the cases of a run reached, beside what there is to reach. Plain data, from which reports
/// are made.
///
/// @param operators those of which a kernel was called
/// @since 0.1
/// @stability api
public record CoverageTable(List<Operator> operators) {
  public CoverageTable {
    operators = List.copyOf(operators);
  }

  /// Of one operator.
  ///
  /// @param name `linear`
  /// @param sizes the largest of each dimension
  /// @param pairs of every two features
  public record Operator(String name, List<Size> sizes, List<Pairs> pairs) {
    public Operator {
      sizes = List.copyOf(sizes);
      pairs = List.copyOf(pairs);
    }

    /// Pairs that met.
    public long met() {
      return pairs.stream().mapToLong(Pairs::met).sum();
    }

    /// Pairs that the provider takes, as far as it was asked.
    public long possible() {
      return pairs.stream().mapToLong(p -> p.met() + p.unmet().size()).sum();
    }
  }

  /// The largest value of a dimension.
  ///
  /// @param name `inputs`
  /// @param tried in any case
  /// @param passed in a case that passed
  /// @param models in the models that people run; empty where that is not known
  public record Size(String name, int tried, int passed, OptionalLong models) {
    /// Whether models have a larger one than any case that passed.
    public boolean tooSmall() {
      return models.isPresent() && passed < models.getAsLong();
    }
  }

  /// Two features, and how many of their values met in a case.
  ///
  /// @param first a feature
  /// @param second another
  /// @param met pairs of values that met
  /// @param declined pairs that met in cases that the provider declined, and in no other
  /// @param unmet pairs that met in no case
  public record Pairs(String first, String second, int met, int declined, List<String> unmet) {
    public Pairs {
      unmet = List.copyOf(unmet);
    }
  }

  /// What was not reached, in words: a sentence each.
  public List<String> notReached() {
    List<String> words = new ArrayList<>();
    for (Operator o : operators) {
      for (Size s : o.sizes) {
        if (s.tooSmall()) {
          words.add(
              String.format(
                  Locale.ROOT,
                  "%s: %s to %,d, where models have %,d",
                  o.name,
                  s.name,
                  s.passed,
                  s.models.getAsLong()));
        }
      }
      long unmet = o.possible() - o.met();
      if (unmet > 0) {
        String example = o.pairs.stream().flatMap(p -> p.unmet.stream()).findFirst().orElseThrow();
        words.add(
            String.format(
                Locale.ROOT,
                "%s: %,d of %,d pairs of features did not meet, such as %s",
                o.name,
                unmet,
                o.possible(),
                example));
      }
    }
    return words;
  }
}

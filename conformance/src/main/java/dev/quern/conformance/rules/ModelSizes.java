package dev.quern.conformance.rules;

import dev.quern.conformance.cases.Mix;
import java.util.List;
import java.util.function.Function;

/// The second space of a subject's cases: calls as large as models make them, and beyond. Few are
/// tried, since each takes as long as hundreds of ordinary ones.
///
/// @param edges cases that are tried; the first [#BEYOND_MODELS] reach the largest value of every
///   dimension, so that a run with few tries has them; a quick one has one of them
/// @param drawn another case from random numbers
public record ModelSizes<C>(List<C> edges, Function<Mix, C> drawn) {
  /// How many cases reach beyond all models: the first ones.
  public static final int BEYOND_MODELS = 3;

  public ModelSizes {
    edges = List.copyOf(edges);
  }
}

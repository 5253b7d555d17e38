package dev.quern.conformance.rules;

import dev.quern.conformance.cases.Mix;
import java.util.List;
import java.util.function.Function;

/// The second space of a subject's cases: calls as large as models make them, and beyond. Few are
/// tried, since each takes as long as hundreds of ordinary ones.
///
/// @param edges cases that are tried; the first three reach the largest value of every dimension,
///   so that a run with few tries has them
/// @param drawn another case from random numbers
public record ModelSizes<C>(List<C> edges, Function<Mix, C> drawn) {
  public ModelSizes {
    edges = List.copyOf(edges);
  }
}

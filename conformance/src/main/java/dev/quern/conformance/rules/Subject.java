package dev.quern.conformance.rules;

import java.util.List;
import java.util.function.Supplier;
import net.jqwik.api.Arbitrary;

/// What a row of a report is about: for linear a weight format under a numerics, for attention a
/// cache format, for RoPE a pairing.
///
/// @param label for people: `Q4_0 int8-sym-32`
/// @param edges cases that are always tried, the smallest ordinary one first
/// @param cases generates others; called inside a jqwik session only
public record Subject<C>(String label, List<C> edges, Supplier<Arbitrary<C>> cases) {
  public Subject {
    edges = List.copyOf(edges);
  }

  /// The smallest ordinary case.
  public C first() {
    return edges.getFirst();
  }
}

package dev.quern.conformance.rules;

import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import net.jqwik.api.Arbitrary;

/// What a row of a report is about: for linear a weight format under a numerics, for attention a
/// cache format, for RoPE a pairing.
///
/// @param label for people: `Q4_0 int8-sym-32`
/// @param edges cases that are always tried: the smallest ordinary one first, then one whose rows
///   and columns are so many that an object for each shows in rule P14
/// @param cases generates others; called inside a jqwik session only
/// @param modelSizes makes cases as large as models make them, which one rule asks for
public record Subject<C>(
    String label, List<C> edges, Supplier<Arbitrary<C>> cases, Supplier<ModelSizes<C>> modelSizes) {
  public Subject {
    edges = List.copyOf(edges);
  }

  /// A subject of ordinary cases only, in the order given.
  public static <C> Subject<C> ordinary(String label, List<C> edges) {
    return new Subject<>(label, edges, null, () -> new ModelSizes<>(List.of(), null));
  }

  /// The smallest ordinary case.
  public C first() {
    return edges.getFirst();
  }

  /// This subject, with more cases at the sizes of models: a certain model's. They come first.
  public Subject<C> withModelSizes(List<C> more) {
    return new Subject<>(
        label,
        edges,
        cases,
        () -> {
          ModelSizes<C> own = modelSizes.get();
          List<C> all = Stream.concat(more.stream(), own.edges().stream()).toList();
          return new ModelSizes<>(all, own.drawn());
        });
  }
}

package dev.quern.conformance;

import dev.quern.conformance.rules.SpecCases;
import java.util.List;
import java.util.Objects;

/// A kernel that a certain model needs.
///
/// @param model the model, as the user named it
/// @param spec the spec of one of the operators, a [dev.quern.op.LinearSpec] for example
/// @param stacked outputs of each matrix that a linear kernel packs; empty for other operators
/// @param context positions that the model was trained for
/// @since 0.1
/// @stability api
public record ModelKernel(String model, Object spec, List<Integer> stacked, int context) {
  public ModelKernel {
    Objects.requireNonNull(model, "model");
    Objects.requireNonNull(spec, "spec");
    stacked = List.copyOf(stacked);
  }

  /// What cases are made for.
  SpecCases.Wanted wanted(SpecCases.Budget budget, long seed) {
    return new SpecCases.Wanted(spec, stacked, context, budget, seed);
  }
}

package dev.quern.llama;

import java.util.List;
import java.util.Objects;

/// A kernel that a model needs; see [LlamaModel#neededKernels].
///
/// @param spec the spec of one of the operators, a [dev.quern.op.LinearSpec] for example
/// @param stacked outputs of each matrix that a linear kernel packs, in order; empty for the other
///   operators
/// @param context positions that the model was trained for
/// @since 0.1
/// @stability api
public record NeededKernel(Object spec, List<Integer> stacked, int context) {
  public NeededKernel {
    Objects.requireNonNull(spec, "spec");
    stacked = List.copyOf(stacked);
  }
}

package dev.quern.conformance;

import java.util.List;

/// What a run does besides the suite, and who watches it.
///
/// @param models kernels of models that are tried at their exact sizes
/// @param coverage is told what the cases reach
/// @param steps run one by one
/// @since 0.1
/// @stability api
public record Plan(List<ModelKernel> models, Coverage coverage, Steps steps) {
  public Plan {
    models = List.copyOf(models);
  }

  /// The suite and no more.
  public static Plan suite() {
    return new Plan(List.of(), new Coverage(), Steps.all());
  }
}

package dev.quern.conformance;

import java.util.List;
import java.util.function.Supplier;

/// Who runs the steps of a run: a rule on a subject each.
///
/// @since 0.1
/// @stability api
@FunctionalInterface
public interface Steps {
  /// Runs a step, or leaves it out.
  ///
  /// @param name unique in a run, and the same in the next: `linear/L5_exact_f32/Q4_0 exact-f32`
  /// @param step what there is to do
  /// @return its results; empty if it was left out
  List<CellResult> run(String name, Supplier<List<CellResult>> step);

  /// All of them.
  static Steps all() {
    return (name, step) -> step.get();
  }
}

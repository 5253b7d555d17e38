package dev.quern.conformance;

import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/// Plans for tests that look at a part of a run, which is then all that runs.
final class OneCheck {
  private OneCheck() {}

  /// One check alone, on all subjects.
  ///
  /// @param check as reports name it: `L5_exact_f32`
  static Plan only(String check) {
    return plan((name, step) -> name.contains("/" + check + "/") ? step.get() : List.of());
  }

  /// The same, up to the first subject on which it fails.
  static Plan untilItFails(String check) {
    Steps only = only(check).steps();
    Steps first = untilOneFails().steps();
    return plan((name, step) -> first.run(name, () -> only.run(name, step)));
  }

  /// All checks, up to the first that fails on a subject.
  static Plan untilOneFails() {
    AtomicBoolean failed = new AtomicBoolean();
    return plan((name, step) -> {
      List<CellResult> cells = failed.get() ? List.of() : step.get();
      failed.compareAndSet(false, cells.stream().anyMatch(c -> c.failures() > 0));
      return cells;
    });
  }

  private static Plan plan(Steps steps) {
    return new Plan(List.of(), new Coverage(), steps);
  }
}

package dev.quern.provider.vector.lanes;

import dev.quern.data.F32Matrix;

/// The look at x that decides about NaN (SPEC.md, L10).
public final class Finite {
  private Finite() {}

  /// Whether a row of x is finite.
  public static boolean row(F32Matrix x, int row) {
    for (int i = 0; i < x.columns(); i++) {
      if (!Float.isFinite(x.get(row, i))) {
        return false;
      }
    }
    return true;
  }
}

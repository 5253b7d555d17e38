package dev.quern.conformance.hostile;

/// What a hostile provider hides behind: the kinds of faults that real kernels have had and small
/// cases don't show.
enum Kind {
  /// Right for small operands, wrong at the size of real models.
  SIZES,
  /// Right on the first call; keeps something that it must not keep.
  STATE,
  /// Right with few workers, or with those that a test happens to have.
  THREADS,
  /// Touches memory that is not its own, or keeps its own where it must not.
  MEMORY,
  /// Right for what callers usually do, wrong for what the façade allows.
  FACADE
}

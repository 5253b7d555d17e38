package dev.quern.provider.scalar;

/// Arithmetic on scratch memory.
final class Scratch {
  private Scratch() {}

  /// Rounded up to whole cache lines, so that no two workers write to the same one.
  static long align(long bytes) {
    return bytes + 63 & -64;
  }
}

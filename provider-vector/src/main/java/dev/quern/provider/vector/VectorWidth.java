package dev.quern.provider.vector;

import jdk.incubator.vector.VectorShape;

/// Asks the Vector API for its width: apart from [VectorProvider], which must load where the
/// incubator module is absent.
final class VectorWidth {
  private VectorWidth() {}

  /// Bits of the vectors that this JVM prefers.
  static int preferredBits() {
    return VectorShape.preferredShape().vectorBitSize();
  }
}

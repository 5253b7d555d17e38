package dev.quern.spi;

import dev.quern.op.Numerics;
import java.util.Locale;
import java.util.Objects;

/// One of the ways a kernel computes, as reports show it.
///
/// @param name the name, for example that of a micro-kernel
/// @param minRows the smallest number of rows that runs on it; a call runs on the last variant
///   whose `minRows` is not larger than its rows
/// @param numerics its arithmetic
public record Variant(String name, int minRows, Numerics numerics) {
  public Variant {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(numerics, "numerics");
    if (minRows < 1) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "variant %s: minRows=%d, expected >= 1", name, minRows));
    }
  }
}

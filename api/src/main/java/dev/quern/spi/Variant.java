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
/// @param invariant whether it promises rule P21: together with the offer's other variants that do,
///   it gives a row the same bits in whatever call the row is
/// @since 0.1
/// @stability contract
public record Variant(String name, int minRows, Numerics numerics, boolean invariant) {
  public Variant {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(numerics, "numerics");
    if (minRows < 1) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "variant %s: minRows=%d, expected >= 1", name, minRows));
    }
  }

  /// A variant that promises no more than rules L4, A7, N6, R6 and S5 ask of any.
  public Variant(String name, int minRows, Numerics numerics) {
    this(name, minRows, numerics, false);
  }
}

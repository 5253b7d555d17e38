package dev.quern.op;

import static java.util.stream.Collectors.joining;

import dev.quern.data.BlockFormat;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;

/// What a linear operator does: `y = x·Wᵀ`, or `y += x·Wᵀ`.
///
/// @param weights storage format of W
/// @param outputs rows of W, all stacked matrices together
/// @param inputs columns of W; a whole number of the format's blocks
/// @param accumulate true: add to what y holds (a residual); false: overwrite it
/// @param tolerated the arithmetics that the caller accepts; not empty
public record LinearSpec(
    BlockFormat weights, int outputs, int inputs, boolean accumulate, Set<Numerics> tolerated) {

  public LinearSpec {
    Objects.requireNonNull(weights, "weights");
    tolerated = Set.copyOf(tolerated);
    Checks.positive("linear", "outputs", outputs);
    weights.blocksPerRow(inputs);
    if (tolerated.isEmpty()) {
      throw new IllegalArgumentException(
          "linear: tolerated is empty, expected at least one numerics, for example "
              + Numerics.EXACT_F32);
    }
  }

  /// This spec with other tolerated arithmetics.
  public LinearSpec withTolerated(Set<Numerics> tolerated) {
    return new LinearSpec(weights, outputs, inputs, accumulate, tolerated);
  }

  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "LinearSpec[%s, outputs=%d, inputs=%d%s, %s]",
        weights,
        outputs,
        inputs,
        accumulate ? ", accumulate" : "",
        tolerated.stream().map(Numerics::id).sorted().collect(joining("|")));
  }
}

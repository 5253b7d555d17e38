package dev.quern.op;

import static java.util.stream.Collectors.joining;

import dev.quern.data.BlockFormat;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;

/// What a linear operator does: `y = x·Wᵀ`, or `y += x·Wᵀ`; with a bias `y = x·Wᵀ + b`, or `y +=
/// x·Wᵀ + b`.
///
/// A minor version may add a component, with a value that means what was meant before: [#of] and
/// the methods that change one stay, and the constructor does not (SPEC.md, Versioning).
///
/// @param weights storage format of W
/// @param outputs rows of W, all stacked matrices together
/// @param inputs columns of W; a whole number of the format's blocks
/// @param accumulate true: add to what y holds (a residual); false: overwrite it
/// @param bias true: each row gets a number for each output added, which `pack` is given
/// @param tolerated the arithmetics that the caller accepts; not empty
/// @since 0.1
/// @stability contract
public record LinearSpec(
    BlockFormat weights,
    int outputs,
    int inputs,
    boolean accumulate,
    boolean bias,
    Set<Numerics> tolerated) {

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

  /// Without a bias.
  public LinearSpec(
      BlockFormat weights, int outputs, int inputs, boolean accumulate, Set<Numerics> tolerated) {
    this(weights, outputs, inputs, accumulate, false, tolerated);
  }

  /// `y = x·Wᵀ` in exact F32 arithmetic.
  public static LinearSpec of(BlockFormat weights, int outputs, int inputs) {
    return new LinearSpec(weights, outputs, inputs, false, Set.of(Numerics.EXACT_F32));
  }

  /// This spec for a matrix of another shape.
  public LinearSpec withShape(int outputs, int inputs) {
    return new LinearSpec(weights, outputs, inputs, accumulate, bias, tolerated);
  }

  /// This spec, adding to what y holds or overwriting it.
  public LinearSpec withAccumulate(boolean accumulate) {
    return new LinearSpec(weights, outputs, inputs, accumulate, bias, tolerated);
  }

  /// This spec, with a bias or without.
  public LinearSpec withBias(boolean bias) {
    return new LinearSpec(weights, outputs, inputs, accumulate, bias, tolerated);
  }

  /// This spec with other tolerated arithmetics.
  public LinearSpec withTolerated(Set<Numerics> tolerated) {
    return new LinearSpec(weights, outputs, inputs, accumulate, bias, tolerated);
  }

  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "LinearSpec[%s, outputs=%d, inputs=%d%s%s, %s]",
        weights,
        outputs,
        inputs,
        accumulate ? ", accumulate" : "",
        bias ? ", bias" : "",
        tolerated.stream().map(Numerics::id).sorted().collect(joining("|")));
  }
}

package dev.quern.conformance.hostile;

import java.util.Locale;

/// What can be large in a call, with the range in which generated mutants have their thresholds:
/// from what any test tries to what models to 70B and their servers ask for.
enum Size {
  INPUTS(64, 32_768),
  OUTPUTS(16, 262_144),
  WIDTH(16, 32_768),
  HEADS(2, 64),
  KV_HEADS(2, 32),
  GROUP(2, 16),
  HEAD_DIM(16, 512),
  ROWS(2, 1_024),
  POSITION(16, 131_072),
  CAPACITY(16, 131_072),
  WORKERS(2, 64);

  final int smallest;
  final int largest;

  Size(int smallest, int largest) {
    this.smallest = smallest;
    this.largest = largest;
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }
}

package dev.quern.provider.x86.interpreter;

import dev.quern.provider.x86.asm.Op;
import java.util.EnumMap;
import java.util.Map;

/// What an instruction does, from its definition in SDM volume 2 ("Operation").
@FunctionalInterface
interface Meaning {
  void run(Machine m);

  /// Of all instructions.
  static Map<Op, Meaning> all() {
    Map<Op, Meaning> all = new EnumMap<>(Op.class);
    ScalarMeanings.define(all);
    MoveMeanings.define(all);
    IntegerMeanings.define(all);
    ShuffleMeanings.define(all);
    FloatMeanings.define(all);
    Bf16Meanings.define(all);
    TileMeanings.define(all);
    return all;
  }
}

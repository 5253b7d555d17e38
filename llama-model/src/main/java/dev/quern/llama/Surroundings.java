package dev.quern.llama;

import java.util.OptionalLong;
import java.util.function.Supplier;

/// What a model looks at beside its file; tests put other things there.
///
/// @param available bytes of memory that can still be taken, see [AvailableMemory]; empty if
///   unknown
/// @param warmUpFrom bytes of weights from which kernels are warmed up
record Surroundings(Supplier<OptionalLong> available, long warmUpFrom) {
  static final Surroundings THIS_MACHINE =
      new Surroundings(AvailableMemory::bytes, WarmUp.WORTHWHILE);
}

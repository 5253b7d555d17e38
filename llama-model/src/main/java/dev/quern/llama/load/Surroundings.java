package dev.quern.llama.load;

import dev.quern.llama.machine.AvailableMemory;
import dev.quern.llama.machine.CpuCores;
import dev.quern.llama.machine.HugePageSystem;
import java.util.OptionalLong;
import java.util.function.Supplier;

/// What a model looks at beside its file; tests put other things there.
///
/// @param available bytes of memory that can still be taken, see [AvailableMemory]; empty if
///   unknown
/// @param warmUpFrom bytes of weights from which kernels are warmed up
/// @param hugePages what the system says about these
/// @param cpus what the process may compute on
public record Surroundings(
    Supplier<OptionalLong> available,
    long warmUpFrom,
    HugePageSystem hugePages,
    Supplier<CpuCores> cpus) {
  public static final Surroundings THIS_MACHINE =
      new Surroundings(
          AvailableMemory::bytes,
          WarmUp.WORTHWHILE,
          HugePageSystem.THIS_MACHINE,
          CpuCores::ofThisProcess);
}

package dev.quern.provider.x86.memory;

import dev.quern.provider.x86.asm.Code;
import java.util.List;

/// Makes code callable that has five operands.
@FunctionalInterface
public interface WideRoutineLoader {
  /// A routine for each.
  ///
  /// @throws RefusedException if the system gives no memory for code
  List<WideRoutine> load(List<Code> codes) throws RefusedException;
}

package dev.quern.provider.x86.memory;

import dev.quern.provider.x86.asm.Code;
import java.util.List;

/// Makes code callable.
@FunctionalInterface
public interface RoutineLoader {
  /// A routine for each.
  ///
  /// @throws RefusedException if the system gives no memory for code
  List<Routine> load(List<Code> codes) throws RefusedException;
}

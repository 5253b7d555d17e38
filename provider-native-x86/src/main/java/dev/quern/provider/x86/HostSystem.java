package dev.quern.provider.x86;

import dev.quern.provider.x86.memory.RefusedException;
import java.util.Optional;

/// What the operating system is asked before anything is offered, so that a test can refuse.
interface HostSystem {
  /// Asks for permission to use the tiles of AMX; what refuses, as one line.
  Optional<String> amxRefusal();

  /// Tries whether code that is written can become executable.
  ///
  /// @throws RefusedException if not
  void tryCode() throws RefusedException;
}

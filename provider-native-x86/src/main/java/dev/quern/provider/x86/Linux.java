package dev.quern.provider.x86;

import dev.quern.provider.x86.cpu.AmxPermission;
import dev.quern.provider.x86.memory.ExecutableMemory;
import dev.quern.provider.x86.memory.RefusedException;
import java.lang.foreign.Arena;
import java.util.Optional;

/// The system that this JVM runs on.
final class Linux implements HostSystem {
  private static final byte RET = (byte) 0xC3;

  @Override
  public Optional<String> amxRefusal() {
    return AmxPermission.refusal();
  }

  /// The code is not called: this may be any CPU.
  @Override
  public void tryCode() throws RefusedException {
    try (Arena arena = Arena.ofConfined()) {
      ExecutableMemory.load(new byte[] {RET}, arena);
    }
  }
}

package dev.quern.provider.x86.memory;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;

/// A process that forbids itself to execute what it wrote, as systemd's `MemoryDenyWriteExecute`
/// does, and asks for memory for code then. Prints the refusal.
final class DeniedExecution {
  /// `PR_SET_MDWE` and its flag `PR_MDWE_REFUSE_EXEC_GAIN` (`linux/prctl.h`, since 6.3).
  private static final int PR_SET_MDWE = 65;

  private DeniedExecution() {}

  @SuppressWarnings("restricted")
  public static void main(String[] args) throws Throwable {
    byte[] ret = {(byte) 0xC3};
    // All that needs code of the JVM's own has been called once before it is forbidden.
    try (Arena arena = Arena.ofConfined()) {
      new NativeFunction(ExecutableMemory.load(ret, arena)).call(arena.allocate(8));
    }
    int result =
        (int)
            Linker.nativeLinker()
                .downcallHandle(
                    Linker.nativeLinker().defaultLookup().findOrThrow("prctl"),
                    FunctionDescriptor.of(
                        JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG),
                    Linker.Option.firstVariadicArg(1))
                .invokeExact(PR_SET_MDWE, 1L, 0L, 0L, 0L);
    if (result != 0) {
      System.out.println("prctl: " + result);
      return;
    }
    try (Arena arena = Arena.ofConfined()) {
      ExecutableMemory.load(ret, arena);
      System.out.println("not refused");
    } catch (RefusedException e) {
      System.out.println(e.getMessage());
    }
  }
}

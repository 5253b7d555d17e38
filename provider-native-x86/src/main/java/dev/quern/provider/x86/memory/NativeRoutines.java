package dev.quern.provider.x86.memory;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.quern.provider.x86.asm.Code;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Routines in one piece of [ExecutableMemory], which lives as long as any of them is reachable.
/// System V's convention: the block's address arrives in rdi; the operands' in rsi, rdx and rcx,
/// where the code ignores them: they are passed so that their memory stays open.
public final class NativeRoutines {
  /// Where code may begin.
  private static final int ALIGNMENT = 64;

  private static final FunctionDescriptor DESCRIPTOR =
      FunctionDescriptor.ofVoid(JAVA_LONG, ADDRESS, ADDRESS, ADDRESS);

  private NativeRoutines() {}

  /// Puts codes one behind the other.
  ///
  /// @throws RefusedException if the system gives no memory for code
  @SuppressWarnings("restricted")
  public static List<Routine> load(List<Code> codes) throws RefusedException {
    byte[] all = {};
    List<Integer> starts = new ArrayList<>();
    for (Code code : codes) {
      byte[] bytes = code.bytes();
      int start = Math.ceilDiv(all.length, ALIGNMENT) * ALIGNMENT;
      starts.add(start);
      all = Arrays.copyOf(all, start + bytes.length);
      System.arraycopy(bytes, 0, all, start, bytes.length);
    }
    MemorySegment memory = ExecutableMemory.load(all, Arena.ofAuto());
    List<Routine> routines = new ArrayList<>();
    for (int start : starts) {
      MethodHandle handle = Linker.nativeLinker().downcallHandle(memory.asSlice(start), DESCRIPTOR);
      routines.add(new Downcall(handle));
    }
    return List.copyOf(routines);
  }

  private record Downcall(MethodHandle handle) implements Routine {
    @Override
    public void call(
        long arguments, MemorySegment first, MemorySegment second, MemorySegment third) {
      try {
        handle.invokeExact(arguments, first, second, third);
      } catch (Throwable e) {
        throw NativeFunction.failure(e);
      }
    }
  }
}

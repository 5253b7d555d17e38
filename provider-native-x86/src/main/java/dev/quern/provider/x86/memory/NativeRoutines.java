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

  private static final FunctionDescriptor WIDE_DESCRIPTOR =
      FunctionDescriptor.ofVoid(JAVA_LONG, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS);

  private NativeRoutines() {}

  /// Puts codes one behind the other.
  ///
  /// @throws RefusedException if the system gives no memory for code
  public static List<Routine> load(List<Code> codes) throws RefusedException {
    List<Routine> routines = new ArrayList<>();
    for (MethodHandle handle : handles(codes, DESCRIPTOR)) {
      routines.add(new Downcall(handle));
    }
    return List.copyOf(routines);
  }

  /// The same for routines of five operands, which arrive in rsi, rdx, rcx, r8 and r9.
  ///
  /// @throws RefusedException if the system gives no memory for code
  public static List<WideRoutine> loadWide(List<Code> codes) throws RefusedException {
    List<WideRoutine> routines = new ArrayList<>();
    for (MethodHandle handle : handles(codes, WIDE_DESCRIPTOR)) {
      routines.add(new WideDowncall(handle));
    }
    return List.copyOf(routines);
  }

  @SuppressWarnings("restricted")
  private static List<MethodHandle> handles(List<Code> codes, FunctionDescriptor descriptor)
      throws RefusedException {
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
    List<MethodHandle> handles = new ArrayList<>();
    for (int start : starts) {
      handles.add(Linker.nativeLinker().downcallHandle(memory.asSlice(start), descriptor));
    }
    return handles;
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

  private record WideDowncall(MethodHandle handle) implements WideRoutine {
    @Override
    public void call(
        long arguments,
        MemorySegment first,
        MemorySegment second,
        MemorySegment third,
        MemorySegment fourth,
        MemorySegment fifth) {
      try {
        handle.invokeExact(arguments, first, second, third, fourth, fifth);
      } catch (Throwable e) {
        throw NativeFunction.failure(e);
      }
    }
  }
}

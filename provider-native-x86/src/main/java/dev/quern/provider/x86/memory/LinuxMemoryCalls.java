package dev.quern.provider.x86.memory;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;

/// Linux's calls, through the C library.
final class LinuxMemoryCalls implements MemoryCalls {
  /// `MAP_PRIVATE | MAP_ANONYMOUS` (`bits/mman.h` on x86-64).
  private static final int MAP_FLAGS = 0x02 | 0x20;

  private static final VarHandle ERRNO =
      Linker.Option.captureStateLayout().varHandle(MemoryLayout.PathElement.groupElement("errno"));

  private final MethodHandle mmap =
      handle(
          "mmap",
          FunctionDescriptor.of(
              JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG));
  private final MethodHandle mprotect =
      handle("mprotect", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT));
  private final MethodHandle munmap =
      handle("munmap", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_LONG));

  @SuppressWarnings("restricted")
  private static MethodHandle handle(String name, FunctionDescriptor descriptor) {
    Linker linker = Linker.nativeLinker();
    return linker.downcallHandle(
        linker.defaultLookup().findOrThrow(name),
        descriptor,
        Linker.Option.captureCallState("errno"));
  }

  @Override
  public long map(long bytes) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(Linker.Option.captureStateLayout());
      long address =
          (long) mmap.invokeExact(state, MemorySegment.NULL, bytes, PROT_NONE, MAP_FLAGS, -1, 0L);
      return address == -1 ? -errno(state) : address;
    } catch (Throwable e) {
      throw NativeFunction.failure(e);
    }
  }

  @Override
  public int protect(long address, long bytes, int protection) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(Linker.Option.captureStateLayout());
      int result =
          (int) mprotect.invokeExact(state, MemorySegment.ofAddress(address), bytes, protection);
      return result == 0 ? 0 : -errno(state);
    } catch (Throwable e) {
      throw NativeFunction.failure(e);
    }
  }

  @Override
  public int unmap(long address, long bytes) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(Linker.Option.captureStateLayout());
      int result = (int) munmap.invokeExact(state, MemorySegment.ofAddress(address), bytes);
      return result == 0 ? 0 : -errno(state);
    } catch (Throwable e) {
      throw NativeFunction.failure(e);
    }
  }

  private static int errno(MemorySegment state) {
    return (int) ERRNO.get(state, 0L);
  }
}

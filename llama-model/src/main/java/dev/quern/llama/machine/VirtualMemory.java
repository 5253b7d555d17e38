package dev.quern.llama.machine;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.invoke.MethodHandle;

/// Address space from Linux's `mmap`, and what is asked of parts of it. Needs native access; each
/// call says whether the system did it. Tests override some.
class VirtualMemory {
  private static final int PROT_NONE = 0;
  private static final int PROT_READ_WRITE = 1 | 2;
  private static final int MAP_PRIVATE_ANONYMOUS = 0x02 | 0x20;
  private static final int MADV_HUGEPAGE = 14;

  /// The C functions; in a class of their own, so that they are linked by whoever needs them.
  private static final class C {
    private static final FunctionDescriptor OF_RANGE =
        FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT);

    static final MethodHandle MMAP =
        link(
            "mmap",
            FunctionDescriptor.of(
                JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG));
    static final MethodHandle MPROTECT = link("mprotect", OF_RANGE);
    static final MethodHandle MADVISE = link("madvise", OF_RANGE);
    static final MethodHandle MUNMAP =
        link("munmap", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG));

    @SuppressWarnings("restricted")
    private static MethodHandle link(String name, FunctionDescriptor function) {
      Linker linker = Linker.nativeLinker();
      return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), function);
    }
  }

  /// Addresses that nothing can be read from or written to yet. They cost no memory, and count for
  /// no limit but that of address space.
  ///
  /// @return the first, or -1
  long reserve(long bytes) {
    return call(
        () -> (long) C.MMAP.invokeExact(0L, bytes, PROT_NONE, MAP_PRIVATE_ANONYMOUS, -1, 0L));
  }

  /// Zeros that can be read and written, each page of them resident from its first use on.
  ///
  /// @param address of a page
  boolean commit(long address, long bytes) {
    return call(() -> (int) C.MPROTECT.invokeExact(address, bytes, PROT_READ_WRITE)) == 0;
  }

  /// Asks for huge pages wherever a whole one fits, see madvise(2).
  ///
  /// @param address of a page
  boolean adviseHuge(long address, long bytes) {
    return call(() -> (int) C.MADVISE.invokeExact(address, bytes, MADV_HUGEPAGE)) == 0;
  }

  boolean release(long address, long bytes) {
    return call(() -> (int) C.MUNMAP.invokeExact(address, bytes)) == 0;
  }

  private interface Native<R> {
    R invoke() throws Throwable;
  }

  private static <R> R call(Native<R> function) {
    try {
      return function.invoke();
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) { // what invokeExact declares, and a C function never throws
      throw new IllegalStateException(e);
    }
  }
}

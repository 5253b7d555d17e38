package dev.quern.provider.x86.memory;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/// A function in [ExecutableMemory] of one argument: the address, in rdi, of a block that holds the
/// others. System V's convention: it may change all registers but rbx, rbp, rsp and r12 to r15.
public final class NativeFunction {
  private final MethodHandle handle;

  /// @param code where the function begins; its arena must be open in each call
  @SuppressWarnings("restricted")
  public NativeFunction(MemorySegment code) {
    handle =
        Linker.nativeLinker().downcallHandle(code, FunctionDescriptor.ofVoid(ValueLayout.ADDRESS));
  }

  /// Calls it.
  ///
  /// @param arguments as the function defines them; it reads and writes where they point to
  public void call(MemorySegment arguments) {
    try {
      handle.invokeExact(arguments);
    } catch (Throwable e) {
      throw failure(e);
    }
  }

  /// What a handle threw. Machine code throws nothing; the handle does, for a closed arena.
  static RuntimeException failure(Throwable e) {
    return switch (e) {
      case RuntimeException r -> r;
      case Error error -> throw error;
      default -> new IllegalStateException("a downcall threw " + e, e);
    };
  }
}

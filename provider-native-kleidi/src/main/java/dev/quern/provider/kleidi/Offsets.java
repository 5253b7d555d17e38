package dev.quern.provider.kleidi;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;

/// What is around a downcall: pointers as segments with offsets ([KleidiAi] says why), and what its
/// handle throws.
final class Offsets {
  private static final MethodHandle SLICE = slice();

  private Offsets() {}

  /// The handle with a segment and an offset in place of the segment at a position.
  static MethodHandle with(MethodHandle handle, int position) {
    return MethodHandles.collectArguments(handle, position, SLICE);
  }

  private static MethodHandle slice() {
    try {
      return MethodHandles.lookup()
          .findVirtual(
              MemorySegment.class,
              "asSlice",
              MethodType.methodType(MemorySegment.class, long.class));
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /// What a handle threw. C functions throw nothing; the handle does, for a closed arena.
  static RuntimeException failure(Throwable e) {
    return switch (e) {
      case RuntimeException r -> r;
      case Error error -> throw error;
      default -> new IllegalStateException("a downcall threw " + e, e);
    };
  }
}

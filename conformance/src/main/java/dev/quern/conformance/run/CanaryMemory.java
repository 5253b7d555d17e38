package dev.quern.conformance.run;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// Memory with canaries on both sides, that are compared afterwards: it finds writes, and reads
/// whose NaN shows in a result. Works everywhere.
public final class CanaryMemory implements Memory {
  private static final int GUARD_BYTES = 128;

  private record Block(String name, MemorySegment all, long from, long to) {}

  private final Arena arena;
  private final List<Block> blocks = new ArrayList<>();

  /// Memory for all threads.
  public CanaryMemory() {
    this(Arena.ofShared());
  }

  /// Memory of an arena. Of a confined one no other thread may touch it: where the calling thread
  /// is the only worker, the JVM then tells of every thread of the kernel's own, however little it
  /// does (rule P13).
  public CanaryMemory(Arena arena) {
    this.arena = arena;
  }

  /// The start is aligned to `alignment` and to no more: an operand that needs 4 bytes never lies
  /// on a multiple of 8.
  @Override
  public synchronized MemorySegment allocate(String name, long bytes, long alignment) {
    long shift = alignment >= 64 ? 0 : alignment;
    MemorySegment all = arena.allocate(bytes + 2 * GUARD_BYTES + shift, 64);
    Block block = new Block(name, all, GUARD_BYTES + shift, GUARD_BYTES + shift + bytes);
    fill(all);
    blocks.add(block);
    return all.asSlice(block.from, bytes);
  }

  @Override
  public synchronized List<Overrun> overruns() {
    List<Overrun> found = new ArrayList<>();
    for (Block b : blocks) {
      for (long at = 0; at < b.all.byteSize(); at++) {
        if (at == b.from) {
          at = b.to;
        }
        if (at < b.all.byteSize() && b.all.get(JAVA_BYTE, at) != canary(at)) {
          found.add(
              new Overrun(
                  b.name,
                  at < b.from
                      ? (b.from - at) + " bytes before its start"
                      : (at - b.to) + " bytes after its end"));
          break;
        }
      }
    }
    return found;
  }

  /// The first four bytes, then as many again with each copy: byte by byte it was a quarter of the
  /// suite's time under an emulator.
  private static void fill(MemorySegment all) {
    for (long at = 0; at < Integer.BYTES; at++) {
      all.set(JAVA_BYTE, at, canary(at));
    }
    for (long filled = Integer.BYTES; filled < all.byteSize(); filled *= 2) {
      long bytes = Math.min(filled, all.byteSize() - filled);
      MemorySegment.copy(all, 0, all, filled, bytes);
    }
  }

  private static byte canary(long at) {
    return (byte) (CANARY >>> 8 * (at % 4));
  }

  @Override
  public synchronized void close() {
    if (arena.scope().isAlive()) {
      blocks.clear();
      arena.close();
    }
  }
}

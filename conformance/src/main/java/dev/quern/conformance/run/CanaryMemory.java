package dev.quern.conformance.run;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// Memory with canaries on both sides, that are compared afterwards: it finds writes, and reads
/// whose NaN shows in a result. Works everywhere. No two operands have the same canaries: a kernel
/// that computes y beyond its end from x beyond its end would write the canary that it read.
public final class CanaryMemory implements Memory {
  /// Canaries on each side where nobody says how many, in bytes.
  private static final int GUARD_BYTES = 128;

  private record Block(String name, MemorySegment all, long from, long to, int canary) {}

  private final Arena arena;
  private final List<Block> blocks = new ArrayList<>();
  private final long guardBytes;

  /// Memory for all threads.
  public CanaryMemory() {
    this(Arena.ofShared());
  }

  /// Memory of an arena. Of a confined one no other thread may touch it: where the calling thread
  /// is the only worker, the JVM then tells of every thread of the kernel's own, however little it
  /// does (rule P13).
  public CanaryMemory(Arena arena) {
    this(arena, GUARD_BYTES);
  }

  /// Memory for all threads.
  ///
  /// @param guardBytes canaries on each side of an operand
  public CanaryMemory(long guardBytes) {
    this(Arena.ofShared(), guardBytes);
  }

  private CanaryMemory(Arena arena, long guardBytes) {
    this.arena = arena;
    this.guardBytes = guardBytes;
  }

  /// The start is aligned to `alignment` and to no more: an operand that needs 4 bytes never lies
  /// on a multiple of 8, and scratch never on one of 128.
  @Override
  public synchronized MemorySegment allocate(String name, long bytes, long alignment) {
    long twice = Math.max(64, 2 * alignment);
    long from = Math.ceilDiv(guardBytes, twice) * twice + alignment;
    MemorySegment all = arena.allocate(from + bytes + guardBytes, twice);
    int canary = Memory.canary(1 + blocks.size());
    Block block = new Block(name, all, from, from + bytes, canary);
    fill(all, canary);
    blocks.add(block);
    return all.asSlice(block.from, bytes);
  }

  @Override
  public synchronized List<Overrun> overruns() {
    List<Overrun> found = new ArrayList<>();
    for (Block b : blocks) {
      long before = damaged(b.all, b.canary, 0, b.from);
      long after = damaged(b.all, b.canary, b.to, b.all.byteSize());
      if (before >= 0) {
        found.add(new Overrun(b.name, (b.from - before) + " bytes before its start"));
      } else if (after >= 0) {
        found.add(new Overrun(b.name, (after - b.to) + " bytes after its end"));
      }
    }
    return found;
  }

  /// The first byte of a range of memory full of canaries that is none, or -1.
  ///
  /// @param all memory that begins with a whole canary
  static long damaged(MemorySegment all, int canary, long from, long to) {
    for (long at = from; at < Math.min(to, from + Integer.BYTES); at++) {
      if (all.get(JAVA_BYTE, at) != byteOf(canary, at)) {
        return at;
      }
    }
    // The rest repeats what lies four bytes before.
    long after = from + Integer.BYTES;
    if (after >= to) {
      return -1;
    }
    long first = MemorySegment.mismatch(all, after, to, all, from, to - Integer.BYTES);
    return first < 0 ? -1 : after + first;
  }

  private static byte byteOf(int canary, long at) {
    return (byte) (canary >>> 8 * (at % Integer.BYTES));
  }

  /// The first four bytes, then as many again with each copy: byte by byte it was a quarter of the
  /// suite's time under an emulator.
  static void fill(MemorySegment all, int canary) {
    for (long at = 0; at < Math.min(Integer.BYTES, all.byteSize()); at++) {
      all.set(JAVA_BYTE, at, byteOf(canary, at));
    }
    for (long filled = Integer.BYTES; filled < all.byteSize(); filled *= 2) {
      long bytes = Math.min(filled, all.byteSize() - filled);
      MemorySegment.copy(all, 0, all, filled, bytes);
    }
  }

  @Override
  public synchronized void close() {
    if (arena.scope().isAlive()) {
      blocks.clear();
      arena.close();
    }
  }
}

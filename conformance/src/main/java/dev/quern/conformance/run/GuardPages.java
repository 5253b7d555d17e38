package dev.quern.conformance.run;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// Memory whose operands lie flush against a page that can't be touched, from `mmap` and
/// `mprotect`. A native kernel that reads or writes one byte beyond ends the process with SIGSEGV;
/// a Java kernel fails before, at its segment's bounds.
///
/// On Linux and macOS only. Needs native access (`--enable-native-access`).
public final class GuardPages implements Memory {
  /// Which end of the operands touches the guard page.
  public enum Side {
    START,
    END
  }

  private static final int PROT_NONE = 0;
  private static final int PROT_READ_WRITE = 1 | 2;
  private static final int MAP_PRIVATE = 2;
  private static final int MAP_ANONYMOUS_LINUX = 0x20;
  private static final int MAP_ANONYMOUS_MACOS = 0x1000;

  private record Mapping(long address, long bytes) {}

  /// The C functions; in a class of their own, so that other systems never look them up.
  private static final class C {
    static final MethodHandle MMAP =
        link("mmap", JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG);
    static final MethodHandle MPROTECT = link("mprotect", JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT);
    static final MethodHandle MUNMAP = link("munmap", JAVA_INT, JAVA_LONG, JAVA_LONG);
    static final MethodHandle GETPAGESIZE = link("getpagesize", JAVA_INT);

    @SuppressWarnings("restricted")
    private static MethodHandle link(String name, MemoryLayout result, MemoryLayout... args) {
      Linker linker = Linker.nativeLinker();
      return linker.downcallHandle(
          linker.defaultLookup().findOrThrow(name), FunctionDescriptor.of(result, args));
    }
  }

  private final Side side;
  private final int mapAnonymous;
  private final long pageBytes;
  private final Arena arena = Arena.ofShared();
  private final List<Mapping> mappings = new ArrayList<>();

  /// Whether this system has them.
  public static boolean supported(String os) {
    return os.equals("linux") || os.equals("macos");
  }

  /// @param os `linux` or `macos`
  public GuardPages(String os, Side side) {
    this.side = side;
    this.mapAnonymous = os.equals("linux") ? MAP_ANONYMOUS_LINUX : MAP_ANONYMOUS_MACOS;
    this.pageBytes = call(() -> (int) C.GETPAGESIZE.invokeExact());
  }

  /// The end lies flush against the guard page as far as the alignment of the start allows.
  @Override
  @SuppressWarnings("restricted")
  public synchronized MemorySegment allocate(String name, long bytes, long alignment) {
    long usable = Math.max(pageBytes, (bytes + pageBytes - 1) / pageBytes * pageBytes);
    long total = usable + 2 * pageBytes;
    long address =
        call(() ->
            (long)
                C.MMAP.invokeExact(
                    MemorySegment.NULL,
                    total,
                    PROT_READ_WRITE,
                    MAP_PRIVATE | mapAnonymous,
                    -1,
                    0L));
    if (address == -1) {
      throw new IllegalStateException(
          String.format(Locale.ROOT, "mmap of %d bytes for %s failed", total, name));
    }
    mappings.add(new Mapping(address, total));
    protect(address, name);
    protect(address + pageBytes + usable, name);
    long start = address + pageBytes;
    if (side == Side.END) {
      start = (start + usable - bytes) / alignment * alignment;
    }
    return MemorySegment.ofAddress(start).reinterpret(bytes, arena, null);
  }

  private void protect(long address, String name) {
    int failed = call(() -> (int) C.MPROTECT.invokeExact(address, pageBytes, PROT_NONE));
    if (failed != 0) {
      throw new IllegalStateException(
          String.format(Locale.ROOT, "mprotect beside %s failed", name));
    }
  }

  /// Nothing: what touches a guard page does not live to tell.
  @Override
  public List<Overrun> overruns() {
    return List.of();
  }

  @Override
  public synchronized void close() {
    if (!arena.scope().isAlive()) {
      return;
    }
    arena.close();
    for (Mapping m : mappings) {
      int failed = call(() -> (int) C.MUNMAP.invokeExact(m.address, m.bytes));
      if (failed != 0) {
        throw new IllegalStateException(
            String.format(Locale.ROOT, "munmap of %d bytes failed", m.bytes));
      }
    }
  }

  private interface Native<R> {
    R invoke() throws Throwable;
  }

  private static <R> R call(Native<R> function) {
    try {
      return function.invoke();
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }
}

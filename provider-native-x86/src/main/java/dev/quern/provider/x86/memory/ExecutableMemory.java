package dev.quern.provider.x86.memory;

import static dev.quern.provider.x86.memory.MemoryCalls.PROT_EXEC;
import static dev.quern.provider.x86.memory.MemoryCalls.PROT_READ;
import static dev.quern.provider.x86.memory.MemoryCalls.PROT_WRITE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Locale;
import java.util.Map;

/// Memory for machine code: written, then protected, and never writable and executable at once,
/// which hardened systems refuse.
///
///     | guard page | code, padded with int3 to whole pages | guard page |
///       no access    read and write, then read and execute   no access
///
/// It is freed when its arena is closed, or by the collector if the arena is an automatic one.
public final class ExecutableMemory {
  /// Bytes of a page on x86-64.
  static final int PAGE = 4096;

  /// `int3`: whoever runs past the code stops there.
  private static final byte TRAP = (byte) 0xCC;

  /// `asm-generic/errno-base.h`.
  private static final Map<Integer, String> ERRNO = Map.of(1, "EPERM", 12, "ENOMEM", 13, "EACCES");

  private ExecutableMemory() {}

  /// The code, ready to be called, at the beginning of a page.
  ///
  /// @param arena its life: one that all calling threads may use
  /// @throws RefusedException if the system gives no such memory
  public static MemorySegment load(byte[] code, Arena arena) throws RefusedException {
    return load(code, arena, new LinuxMemoryCalls());
  }

  @SuppressWarnings("restricted")
  static MemorySegment load(byte[] code, Arena arena, MemoryCalls calls) throws RefusedException {
    if (code.length == 0) {
      throw new IllegalArgumentException("executable memory: no code, expected a byte at least");
    }
    long pages = (code.length + (long) PAGE - 1) / PAGE * PAGE;
    long all = pages + 2 * PAGE;
    long guard = calls.map(all);
    if (guard < 0) {
      throw refused("mmap", all, -guard);
    }
    long address = guard + PAGE;
    try {
      protect(calls, address, pages, PROT_READ | PROT_WRITE);
      MemorySegment writable = MemorySegment.ofAddress(address).reinterpret(pages);
      writable.fill(TRAP);
      MemorySegment.copy(code, 0, writable, ValueLayout.JAVA_BYTE, 0, code.length);
      protect(calls, address, pages, PROT_READ | PROT_EXEC);
      return MemorySegment.ofAddress(address)
          .reinterpret(code.length, arena, s -> unmap(calls, guard, all))
          .asReadOnly();
    } catch (RefusedException | RuntimeException e) {
      unmap(calls, guard, all);
      throw e;
    }
  }

  private static void protect(MemoryCalls calls, long address, long bytes, int protection)
      throws RefusedException {
    int result = calls.protect(address, bytes, protection);
    if (result != 0) {
      boolean code = (protection & PROT_EXEC) != 0;
      throw refused(code ? "mprotect to read and execute" : "mprotect", bytes, -result);
    }
  }

  private static void unmap(MemoryCalls calls, long address, long bytes) {
    int result = calls.unmap(address, bytes);
    if (result != 0) {
      throw new IllegalStateException("munmap of " + bytes + " bytes of code: " + name(-result));
    }
  }

  /// @param errno of the call that failed
  public static RefusedException refused(String call, long bytes, long errno) {
    String reason =
        String.format(
            Locale.ROOT,
            "the system refuses memory for machine code: %s of %d bytes: %s",
            call,
            bytes,
            name(errno));
    String remedy =
        errno == 12
            ? "raise the process's limit of memory (ulimit -v, the container's)"
            : "allow this process to execute memory that it wrote (SELinux: the boolean"
                + " deny_execmem or the permission execmem; systemd: MemoryDenyWriteExecute=no), or"
                + " select providers without machine code: quern.provider=vector,scalar";
    return new RefusedException(reason, remedy);
  }

  private static String name(long errno) {
    return ERRNO.getOrDefault((int) errno, "errno " + errno);
  }
}

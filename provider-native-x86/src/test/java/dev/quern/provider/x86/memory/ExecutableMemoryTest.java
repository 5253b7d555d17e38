package dev.quern.provider.x86.memory;

import static dev.quern.provider.x86.asm.Gp.RAX;
import static dev.quern.provider.x86.asm.Gp.RDI;
import static dev.quern.provider.x86.asm.Mem.ptr;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.provider.x86.Host;
import dev.quern.provider.x86.asm.Assembler;
import dev.quern.provider.x86.asm.Op;
import dev.quern.testing.ChildJvm;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/// Code runs, its memory is never writable and executable at once, and is gone with its arena.
class ExecutableMemoryTest {
  /// `arguments[1] = arguments[0] + 42`
  private static byte[] addsFortyTwo() {
    Assembler a = new Assembler(Set.of());
    a.emit(Op.MOV, RAX, ptr(RDI));
    a.emit(Op.ADD, RAX, 42);
    a.emit(Op.MOV, ptr(RDI, 8), RAX);
    a.end();
    return a.code().bytes();
  }

  @Test
  void codeRunsUntilItsArenaIsClosed() throws Exception {
    Host.features();
    Arena arena = Arena.ofShared();
    MemorySegment code = ExecutableMemory.load(addsFortyTwo(), arena);
    NativeFunction function = new NativeFunction(code);
    try (Arena own = Arena.ofConfined()) {
      MemorySegment arguments = own.allocate(16, 8);
      arguments.set(JAVA_LONG, 0, -2);
      function.call(arguments);
      assertEquals(40, arguments.get(JAVA_LONG, 8));
      arena.close();
      assertThrows(IllegalStateException.class, () -> function.call(arguments));
    }
  }

  @Test
  void itIsReadAndExecuteBetweenGuards() throws Exception {
    Host.features();
    byte[] code = new byte[5000];
    long address;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment loaded = ExecutableMemory.load(code, arena);
      assertTrue(loaded.isReadOnly());
      address = loaded.address();
      assertEquals("---p", permissions(address - 1));
      assertEquals("r-xp", permissions(address));
      assertEquals("r-xp", permissions(address + 8191));
      assertEquals("---p", permissions(address + 8192));
    }
    assertFalse(permissions(address).contains("x"), "still there after its arena was closed");
  }

  /// Of `/proc/self/maps`; empty where nothing is mapped.
  private static String permissions(long address) throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/self/maps"))) {
      String[] range = line.substring(0, line.indexOf(' ')).split("-");
      if (Long.compareUnsigned(Long.parseUnsignedLong(range[0], 16), address) <= 0
          && Long.compareUnsigned(address, Long.parseUnsignedLong(range[1], 16)) < 0) {
        return line.split(" ")[1];
      }
    }
    return "";
  }

  /// Notes what was asked for, and refuses one of it.
  private static final class Refusing implements MemoryCalls {
    private final List<String> asked = new ArrayList<>();
    private final String refused;
    private final int errno;
    private final MemoryCalls real = new LinuxMemoryCalls();

    Refusing(String refused, int errno) {
      this.refused = refused;
      this.errno = errno;
    }

    private boolean refuses(String what) {
      asked.add(what);
      return what.equals(refused);
    }

    @Override
    public long map(long bytes) {
      return refuses("map") ? -errno : real.map(bytes);
    }

    @Override
    public int protect(long address, long bytes, int protection) {
      return refuses("protect " + protection) ? -errno : real.protect(address, bytes, protection);
    }

    @Override
    public int unmap(long address, long bytes) {
      return refuses("unmap") ? -errno : real.unmap(address, bytes);
    }
  }

  @Test
  void neverWritableAndExecutable() throws Exception {
    Host.features();
    Refusing calls = new Refusing("nothing", 0);
    try (Arena arena = Arena.ofConfined()) {
      ExecutableMemory.load(addsFortyTwo(), arena, calls);
    }
    assertEquals(List.of("map", "protect 3", "protect 5", "unmap"), calls.asked);
  }

  @Test
  void refusals() throws Exception {
    Host.features();
    assertEquals(
        "the system refuses memory for machine code: mprotect to read and execute of 4096 bytes:"
            + " EACCES; allow this process to execute memory that it wrote (SELinux: the boolean"
            + " deny_execmem or the permission execmem; systemd: MemoryDenyWriteExecute=no), or"
            + " select providers without machine code: quern.provider=vector,scalar",
        refusal(new Refusing("protect 5", 13), "unmap"));
    assertTrue(refusal(new Refusing("protect 3", 1), "unmap").contains("bytes: EPERM; allow"));
    assertTrue(refusal(new Refusing("map", 12), "map").contains("ENOMEM; raise the process's"));
  }

  /// @param last what is called last: nothing is kept
  private static String refusal(Refusing calls, String last) {
    try (Arena arena = Arena.ofConfined()) {
      RefusedException e =
          assertThrows(
              RefusedException.class, () -> ExecutableMemory.load(addsFortyTwo(), arena, calls));
      assertEquals(last, calls.asked.getLast());
      return e.getMessage();
    }
  }

  @Test
  void aSystemThatRefusesIndeed() throws Exception {
    Host.features();
    List<String> lines =
        ChildJvm.run(
            List.of(
                "-Xint",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                DeniedExecution.class.getName()));
    String out = String.join("\n", lines);
    if (out.startsWith("prctl: ")) {
      Host.leftOut(
          "Linux before 6.3 can't forbid a process to execute what it wrote (" + out + ")");
    }
    assertTrue(
        out.startsWith("the system refuses memory for machine code: mprotect to read and execute"),
        out);
    assertEquals(1, lines.size(), out);
  }
}

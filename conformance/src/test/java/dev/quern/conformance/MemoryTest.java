package dev.quern.conformance;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.quern.KernelOptions;
import dev.quern.conformance.run.CanaryMemory;
import dev.quern.conformance.run.GuardPages;
import dev.quern.conformance.run.Memory;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Memory that notices stray accesses.
class MemoryTest {
  private static final String OS = KernelOptions.fromSystem().providersPlatform().os();

  @Test
  void operandsAreNoMoreAlignedThanTheyMustBe() {
    try (Memory memory = new CanaryMemory()) {
      assertEquals(4, memory.allocate("x", 12, 4).address() % 8);
      assertEquals(1, memory.allocate("weights", 18, 1).address() % 2);
      assertEquals(0, memory.allocate("scratch", 10, 64).address() % 64);
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {-1, -60, 12, 100})
  void aWriteBesideAnOperandIsFound(long offset) {
    try (Memory memory = new CanaryMemory()) {
      memory.allocate("x", 12, 4);
      MemorySegment y = memory.allocate("y", 12, 4);
      assertEquals(List.of(), memory.overruns());
      y.fill((byte) 7);
      assertEquals(List.of(), memory.overruns());
      around(y).set(JAVA_BYTE, 100 + offset, (byte) 7);
      String where =
          offset < 0 ? -offset + " bytes before its start" : offset - 12 + " bytes after its end";
      assertEquals(List.of(new Memory.Overrun("y", where)), memory.overruns());
    }
  }

  /// The memory from 100 bytes before a segment of 12 to 100 bytes after it.
  @SuppressWarnings("restricted")
  private static MemorySegment around(MemorySegment segment) {
    return MemorySegment.ofAddress(segment.address() - 100).reinterpret(212);
  }

  @ParameterizedTest
  @EnumSource
  void beyondAGuardPageNothingCanBeRead(GuardPages.Side side)
      throws IOException, InterruptedException {
    assumeTrue(GuardPages.supported(OS), "no guard pages on " + OS);
    assertEquals("inside 0\n", touch(side, side == GuardPages.Side.START ? 0 : 17, false));
    String outside = touch(side, side == GuardPages.Side.START ? -1 : 18, true);
    assertTrue(outside.contains("SIGSEGV") || outside.contains("SIGBUS"), outside);
  }

  /// Reads one byte beside a guarded operand of 18 bytes in a JVM of its own, since that may end
  /// it.
  private static String touch(GuardPages.Side side, int offset, boolean ends)
      throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:-CreateCoredumpOnCrash",
                "-XX:+ErrorFileToStdout",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                Touch.class.getName(),
                side.name(),
                Integer.toString(offset))
            .redirectErrorStream(true)
            .start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(ends, process.waitFor() != 0, output);
    return output;
  }

  /// The program that [#touch] starts.
  static final class Touch {
    @SuppressWarnings("restricted")
    public static void main(String[] args) {
      try (Memory memory = new GuardPages(OS, GuardPages.Side.valueOf(args[0]))) {
        MemorySegment x = memory.allocate("x", 18, 1);
        MemorySegment at =
            MemorySegment.ofAddress(x.address() + Integer.parseInt(args[1])).reinterpret(1);
        System.out.println("inside " + at.get(JAVA_BYTE, 0));
      }
    }
  }
}

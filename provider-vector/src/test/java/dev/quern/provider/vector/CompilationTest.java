package dev.quern.provider.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// No method of the provider is too large for a compiler. C1 has a limit of virtual registers, and
/// a method that is past it is never compiled at all, not by C2 either: it stays in the
/// interpreter, a thousand times slower, and nothing says so.
class CompilationTest {
  private static final String PACKAGE = "dev.quern.provider.vector.";

  @ParameterizedTest
  @ValueSource(ints = {16, 32, 64})
  void everyKernelIsCompiled(int vectorBytes) throws Exception {
    List<String> lines = run(vectorBytes);
    assertTrue(
        lines.stream().anyMatch(l -> l.contains(PACKAGE + "NibblePanel::dot")),
        "the log of compilations has no kernel in it:\n" + String.join("\n", lines));
    assertEquals(List.of(), lines.stream().filter(CompilationTest::isRefused).toList());
  }

  @Test
  void aMethodThatIsTooLargeIsSeen() {
    assertTrue(
        isRefused(
            "906  753 %  b  3  dev.quern.provider.vector.PanelTile::multiply2x8 @ 543 (1382 bytes)   COMPILE SKIPPED: out of virtual registers in linear scan (retry at different tier)"));
    assertFalse(
        isRefused(
            "628 1476 %  3  dev.quern.provider.vector.Tile::sum @ 130 (531 bytes)   COMPILE SKIPPED: concurrent class loading"));
  }

  private static boolean isRefused(String line) {
    return line.contains(PACKAGE)
        && line.contains("COMPILE SKIPPED")
        && !line.contains("concurrent class loading");
  }

  private static List<String> run(int vectorBytes) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("--add-modules=jdk.incubator.vector");
    command.add("-XX:MaxVectorSize=" + vectorBytes);
    command.add("-XX:+PrintCompilation");
    // Early and in the foreground, so that a few calls are enough and lines are not mixed up.
    command.add("-Xbatch");
    command.add("-XX:Tier3InvocationThreshold=20");
    command.add("-XX:Tier3MinInvocationThreshold=10");
    command.add("-XX:Tier3BackEdgeThreshold=500");
    command.add("-XX:Tier4InvocationThreshold=100");
    command.add("-XX:Tier4MinInvocationThreshold=50");
    command.add("-XX:Tier4BackEdgeThreshold=2000");
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(KernelDrive.class.getName());
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    List<String> lines = read(process);
    assertEquals(0, process.waitFor(), String.join("\n", lines));
    return lines.stream().filter(l -> l.contains(PACKAGE)).toList();
  }

  private static List<String> read(Process process) throws IOException {
    try (var out = process.inputReader(StandardCharsets.UTF_8)) {
      return out.lines().toList();
    }
  }
}

package dev.quern.provider.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.provider.vector.lanes.Split;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
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
        lines.stream().anyMatch(l -> l.contains(PACKAGE + "packed.NibblePanel::dot")),
        "the log of compilations has no kernel in it:\n" + String.join("\n", lines));
    assertEquals(List.of(), lines.stream().filter(CompilationTest::isRefused).toList());
  }

  @Test
  void aMethodThatIsTooLargeIsSeen() {
    assertTrue(
        isRefused(
            "906  753 %  b  3  dev.quern.provider.vector.packed.F32Tile::multiply2x8 @ 543 (1382 bytes)   COMPILE SKIPPED: out of virtual registers in linear scan (retry at different tier)"));
    assertFalse(
        isRefused(
            "628 1476 %  3  dev.quern.provider.vector.direct.Tile::sum @ 130 (531 bytes)   COMPILE SKIPPED: concurrent class loading"));
  }

  /// The options that launchers take from the provider's JAR name its package and mean all its
  /// rooms: HotSpot takes a star at the end of a class pattern for any rest of the name.
  @Test
  void thePatternsForLaunchersReachTheRooms() throws Exception {
    List<String> patterns;
    try (BufferedReader options =
        new BufferedReader(
            new InputStreamReader(
                VectorProvider.class.getResourceAsStream("/META-INF/quern/vector.options"),
                StandardCharsets.UTF_8))) {
      patterns =
          options
              .lines()
              .filter(l -> l.startsWith("-XX:CompileCommand=") && l.contains(PACKAGE))
              .map(l -> l.split(",")[1])
              .toList();
    }
    assertEquals(2, patterns.size(), patterns.toString());
    for (String pattern : patterns) {
      List<String> log =
          run(Caller.class, List.of("-XX:CompileCommand=PrintCompilation," + pattern));
      assertTrue(
          log.stream().anyMatch(l -> l.contains(PACKAGE + "lanes.Split::align")),
          pattern + " does not reach a room:\n" + String.join("\n", log));
    }
  }

  /// Calls a method of a room until it is compiled.
  static final class Caller {
    public static void main(String[] args) {
      long sum = 0;
      for (int i = 0; i < 200_000; i++) {
        sum += Split.align(i);
      }
      System.out.println(sum);
    }
  }

  private static boolean isRefused(String line) {
    return line.contains(PACKAGE)
        && line.contains("COMPILE SKIPPED")
        && !line.contains("concurrent class loading");
  }

  private static List<String> run(int vectorBytes) throws Exception {
    return run(
        KernelDrive.class,
        List.of(
            "-XX:MaxVectorSize=" + vectorBytes,
            "-XX:+PrintCompilation",
            // Early and in the foreground, so that a few calls are enough and lines are not mixed
            // up.
            "-Xbatch",
            "-XX:Tier3InvocationThreshold=20",
            "-XX:Tier3MinInvocationThreshold=10",
            "-XX:Tier3BackEdgeThreshold=500",
            "-XX:Tier4InvocationThreshold=100",
            "-XX:Tier4MinInvocationThreshold=50",
            "-XX:Tier4BackEdgeThreshold=2000"));
  }

  private static List<String> run(Class<?> main, List<String> flags) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("--add-modules=jdk.incubator.vector");
    command.addAll(flags);
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
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

package dev.quern.conformance.mutants;

import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.quern.conformance.run.GuardPages;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// What reads beyond an operand as native code does, unchecked, meets a guard page: the process
/// ends with a signal while rule P7 is checked.
class OverReadTest {
  @ParameterizedTest
  @EnumSource(names = {"OVER_READ_X", "OVER_READ_WEIGHTS"})
  void anOverReadEndsTheProcess(Fault fault, @TempDir Path dir) throws Exception {
    String os = MutantProvider.target(fault).platform().os();
    assumeTrue(GuardPages.supported(os), "left out: no guard pages on " + os);
    String output = child(fault, dir);
    String checked = Files.readString(dir.resolve("case"));
    assertTrue(checked.startsWith("P7_stays_in_bounds/linear:"), checked);
    assertTrue(output.contains("SIGSEGV") || output.contains("SIGBUS"), output);
  }

  private static String child(Fault fault, Path dir) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "--enable-native-access=ALL-UNNAMED",
                    "-XX:-CreateCoredumpOnCrash",
                    "-XX:ErrorFile=" + dir.resolve("error.log"),
                    "-cp",
                    System.getProperty("java.class.path"),
                    OverRead.class.getName(),
                    fault.name(),
                    dir.resolve("case").toString()))
            .directory(dir.toFile())
            .redirectErrorStream(true)
            .start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    int exit = process.waitFor();
    assertNotEquals(0, exit, output);
    return output;
  }
}

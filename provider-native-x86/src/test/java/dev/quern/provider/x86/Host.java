package dev.quern.provider.x86;

import dev.quern.provider.x86.cpu.AmxPermission;
import dev.quern.provider.x86.cpu.CpuRow;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Assumptions;

/// The CPU that the tests run on.
public final class Host {
  private Host() {}

  /// What it and the operating system offer: the flags of `/proc/cpuinfo`. Skips the test, and says
  /// why, where machine code of ours can't run at all.
  public static Set<String> features() throws IOException {
    return runsMachineCode()
        ? flags()
        : leftOut(
            "machine code runs on Linux on x86-64 only, and this is "
                + System.getProperty("os.name")
                + " on "
                + System.getProperty("os.arch"));
  }

  /// Whether it has all of them, and so can run code that needs them.
  public static boolean has(Set<String> features) throws IOException {
    return runsMachineCode() && flags().containsAll(features);
  }

  /// Why code of a row can't run here: features that the CPU lacks, or the system's refusal of
  /// AMX's tiles. Empty if it can.
  public static String refusal(CpuRow row) throws IOException {
    if (!runsMachineCode()) {
      return "this is " + System.getProperty("os.name") + " on " + System.getProperty("os.arch");
    }
    String lacking = row.lacking(flags());
    return lacking.isEmpty() && row.equals(CpuRow.AMX)
        ? AmxPermission.refusal().orElse("")
        : lacking;
  }

  private static boolean runsMachineCode() {
    return System.getProperty("os.arch").equals("amd64")
        && System.getProperty("os.name").equals("Linux");
  }

  private static Set<String> flags() throws IOException {
    String line =
        Files.readAllLines(Path.of("/proc/cpuinfo")).stream()
            .filter(l -> l.startsWith("flags"))
            .findFirst()
            .orElse("flags:");
    return new TreeSet<>(Arrays.asList(line.substring(line.indexOf(':') + 1).strip().split(" ")));
  }

  /// Leaves a test out, and says so.
  public static <T> T leftOut(String reason) {
    System.out.println("[quern] left out: " + reason);
    return Assumptions.abort(reason);
  }
}

package dev.quern.provider.x86;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Assumptions;

/// The CPU that the tests run on.
public final class Host {
  private Host() {}

  /// What it and the operating system offer: the flags of `/proc/cpuinfo`. Skips the test, and says
  /// why, where machine code of ours can't run at all.
  public static Set<String> features() throws IOException {
    String arch = System.getProperty("os.arch").toLowerCase(Locale.ROOT);
    Path cpuinfo = Path.of("/proc/cpuinfo");
    if (!arch.equals("amd64") || !Files.exists(cpuinfo)) {
      return leftOut("machine code runs on Linux on x86-64 only, and this is " + arch);
    }
    String flags =
        Files.readString(cpuinfo)
            .lines()
            .filter(line -> line.startsWith("flags"))
            .findFirst()
            .orElse("flags:");
    Set<String> features =
        new TreeSet<>(Arrays.asList(flags.substring(flags.indexOf(':') + 1).strip().split(" ")));
    // Tiles need permission besides, which a process asks for; tests of tiles do.
    return features;
  }

  /// Leaves a test out, and says so.
  public static <T> T leftOut(String reason) {
    System.out.println("[quern] left out: " + reason);
    return Assumptions.abort(reason);
  }
}

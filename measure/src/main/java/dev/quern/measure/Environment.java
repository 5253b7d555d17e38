package dev.quern.measure;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/// What a figure depends on beside the code.
///
/// @param cpu the processor's name
/// @param processors that the JVM may use
/// @param loadAverage of the last minute before the run; NaN where the system doesn't tell
/// @param jvm name, version and mode
/// @param jvmOptions options of this JVM that begin with `-X` or `-D`
public record Environment(
    String cpu, int processors, double loadAverage, String jvm, List<String> jvmOptions) {

  /// This machine, now.
  public static Environment current() {
    return new Environment(
        firstValue(Path.of("/proc/cpuinfo"), "model name", System.getProperty("os.arch")),
        Runtime.getRuntime().availableProcessors(),
        loadAverageNow(),
        String.format(
            Locale.ROOT,
            "%s %s (%s)",
            System.getProperty("java.vm.name"),
            Runtime.version(),
            System.getProperty("java.vm.info")),
        ProcessHandle.current().info().arguments().stream()
            .flatMap(Arrays::stream)
            .filter(a -> a.startsWith("-X") || a.startsWith("-D"))
            .toList());
  }

  private static String firstValue(Path file, String key, String absent) {
    try (Stream<String> lines = Files.lines(file)) {
      return lines
          .filter(l -> l.startsWith(key))
          .map(l -> l.substring(l.indexOf(':') + 1).strip())
          .findFirst()
          .orElse(absent);
    } catch (IOException e) {
      return absent; // not Linux
    }
  }

  private static double loadAverageNow() {
    try {
      return Double.parseDouble(Files.readString(Path.of("/proc/loadavg")).split(" ")[0]);
    } catch (IOException e) {
      return Double.NaN; // not Linux; the report says that it is unknown
    }
  }
}

package dev.quern.measure;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;

/// The process's peak resident memory.
public final class PeakMemory {
  private PeakMemory() {}

  /// `VmHWM` of `/proc/self/status`; empty where there is no such file (Linux only).
  public static OptionalLong residentBytes() {
    try {
      return Files.readAllLines(Path.of("/proc/self/status")).stream()
          .filter(line -> line.startsWith("VmHWM:"))
          .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024)
          .findFirst();
    } catch (IOException e) {
      return OptionalLong.empty(); // not Linux; the metrics say that it is unknown
    }
  }
}

package dev.quern.benchmarks;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/// A process that ran to its end.
///
/// @param out standard output
/// @param err standard error
/// @param seconds wall time from `exec` to the end
/// @param peakResidentBytes `VmHWM` of `/proc/PID/status` when it was last seen
record Child(String out, String err, double seconds, long peakResidentBytes) {
  // Short against any run, long against the cost of a look.
  private static final long LOOK_MILLIS = 5;
  private static final long LIMIT_SECONDS = 3600;

  /// Runs a command and waits for it.
  ///
  /// @throws CompareException if it fails, with the last lines of what it said
  static Child run(List<String> command) throws IOException, InterruptedException {
    Path folder = Files.createTempDirectory("quern-bench");
    try {
      Path out = folder.resolve("out");
      Path err = folder.resolve("err");
      ProcessBuilder builder =
          new ProcessBuilder(command)
              .redirectInput(new File("/dev/null"))
              .redirectOutput(out.toFile())
              .redirectError(err.toFile());
      long start = System.nanoTime();
      Process process = start(builder);
      long peak = 0;
      try {
        while (!process.waitFor(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
          peak = Math.max(peak, residentPeak(process.pid()));
          if (System.nanoTime() - start > LIMIT_SECONDS * 1_000_000_000L) {
            throw new CompareException(
                "%s: still running after %d s, expected an end"
                    .formatted(String.join(" ", command), LIMIT_SECONDS));
          }
        }
      } finally {
        process.destroyForcibly();
      }
      double seconds = (System.nanoTime() - start) / 1e9;
      // Engines print the bytes of tokens, which need not be UTF-8.
      String errText = Files.readString(err, StandardCharsets.ISO_8859_1);
      if (process.exitValue() != 0) {
        throw new CompareException(
            "%s: exit code %d%n%s"
                .formatted(String.join(" ", command), process.exitValue(), lastLines(errText)));
      }
      String outText = Files.readString(out, StandardCharsets.ISO_8859_1);
      return new Child(outText, errText, seconds, peak);
    } finally {
      try (Stream<Path> files = Files.list(folder)) {
        for (Path file : files.toList()) {
          Files.delete(file);
        }
      }
      Files.delete(folder);
    }
  }

  private static Process start(ProcessBuilder builder) {
    try {
      return builder.start();
    } catch (IOException e) {
      throw new CompareException(
          e.getMessage() + "; llama.cpp's tools are looked for on PATH, or as LLAMA_CPP says", e);
    }
  }

  /// 0 once the process is over, and in the moment before it has memory.
  private static long residentPeak(long pid) throws IOException {
    try {
      for (String line : Files.readAllLines(Path.of("/proc/" + pid + "/status"))) {
        if (line.startsWith("VmHWM:")) {
          return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
        }
      }
    } catch (NoSuchFileException e) {
      return 0; // it has just ended
    } catch (IOException e) {
      if (Files.exists(Path.of("/proc/self/status"))) {
        return 0; // it ended while it was read
      }
      throw new CompareException(
          "no /proc/PID/status, expected Linux: memory can't be measured", e);
    }
    return 0;
  }

  private static String lastLines(String text) {
    List<String> lines = text.lines().toList();
    return String.join(
        System.lineSeparator(), lines.subList(Math.max(0, lines.size() - 8), lines.size()));
  }
}

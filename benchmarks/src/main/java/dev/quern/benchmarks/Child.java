package dev.quern.benchmarks;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/// A process that ran to its end.
///
/// @param out standard output
/// @param err standard error
/// @param seconds wall time from `exec` to the end
record Child(String out, String err, double seconds) {
  private static final long LOOK_MILLIS = 5; // short against any run
  private static final long LIMIT_SECONDS = 3600;

  /// Waits for a process, doing what is to be done meanwhile.
  @FunctionalInterface
  private interface Wait {
    /// @return whether it has ended
    boolean until(Process process, long seconds) throws InterruptedException;
  }

  /// Runs a command and sleeps until it ends, so that nothing disturbs what it measures.
  ///
  /// @throws CompareException if it fails, with the last lines of what it said
  static Child run(List<String> command) throws IOException, InterruptedException {
    return run(command, (process, seconds) -> process.waitFor(seconds, TimeUnit.SECONDS));
  }

  /// Runs a command and returns its peak resident memory: `VmHWM` of `/proc/PID/status`, looked at
  /// every 5 ms. The looks cost a few per cent of a core.
  ///
  /// @throws CompareException if it fails, as [#run], or if there is no such file (Linux only)
  static long peakResidentBytes(List<String> command) throws IOException, InterruptedException {
    AtomicLong peak = new AtomicLong();
    run(
        command,
        (process, seconds) -> {
          long end = System.nanoTime() + seconds * 1_000_000_000L;
          while (System.nanoTime() < end) {
            peak.accumulateAndGet(residentPeak(process.pid()), Math::max);
            if (process.waitFor(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
              return true;
            }
          }
          return false;
        });
    if (peak.get() == 0) {
      throw new CompareException(
          String.format(
              Locale.ROOT,
              "%s: its memory could not be read, expected VmHWM in /proc/PID/status (Linux)",
              Commands.text(command)));
    }
    return peak.get();
  }

  private static Child run(List<String> command, Wait wait)
      throws IOException, InterruptedException {
    Path out = Files.createTempFile("quern-compare", ".out");
    Path err = Files.createTempFile("quern-compare", ".err");
    try {
      ProcessBuilder builder =
          new ProcessBuilder(command)
              .redirectInput(new File("/dev/null"))
              .redirectOutput(out.toFile())
              .redirectError(err.toFile());
      long start = System.nanoTime();
      Process process = start(builder);
      try {
        if (!wait.until(process, LIMIT_SECONDS)) {
          throw new CompareException(
              String.format(
                  Locale.ROOT,
                  "%s: still running after %d s, expected an end",
                  Commands.text(command),
                  LIMIT_SECONDS));
        }
      } finally {
        process.destroyForcibly();
      }
      double seconds = (System.nanoTime() - start) / 1e9;
      // Engines print the bytes of tokens, which need not be UTF-8.
      String errText = Files.readString(err, StandardCharsets.ISO_8859_1);
      if (process.exitValue() != 0) {
        throw new CompareException(
            String.format(
                Locale.ROOT,
                "%s: exit code %d%n%s",
                Commands.text(command),
                process.exitValue(),
                lastLines(errText)));
      }
      return new Child(Files.readString(out, StandardCharsets.ISO_8859_1), errText, seconds);
    } finally {
      Files.delete(out);
      Files.delete(err);
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

  /// 0 where the process has ended, or has no memory yet.
  private static long residentPeak(long pid) {
    try {
      return Files.readAllLines(Path.of("/proc/" + pid + "/status")).stream()
          .filter(line -> line.startsWith("VmHWM:"))
          .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024)
          .findFirst()
          .orElse(0);
    } catch (IOException e) {
      return 0; // it ended before or during the look; a run without any look is an error above
    }
  }

  private static String lastLines(String text) {
    List<String> lines = text.lines().toList();
    return String.join(
        System.lineSeparator(), lines.subList(Math.max(0, lines.size() - 8), lines.size()));
  }
}

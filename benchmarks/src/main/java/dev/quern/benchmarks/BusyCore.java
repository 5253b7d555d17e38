package dev.quern.benchmarks;

import java.io.IOException;
import java.util.Locale;

/// Another process that keeps one core busy, until it is closed.
final class BusyCore implements AutoCloseable {
  private final Process process;

  /// @param core its number, as `taskset -c` takes it
  BusyCore(int core) throws IOException {
    process =
        new ProcessBuilder(
                "taskset", "-c", Integer.toString(core), "sh", "-c", "while :; do :; done")
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
  }

  /// @throws CompareException if the core was not kept busy, since then nothing was measured
  @Override
  public void close() {
    boolean busy = process.isAlive();
    process.destroyForcibly().onExit().join();
    if (!busy) {
      throw new CompareException(
          String.format(
              Locale.ROOT,
              "taskset: exit code %d, expected the busy loop to run until it is stopped (is there such a core?)",
              process.exitValue()));
    }
  }
}

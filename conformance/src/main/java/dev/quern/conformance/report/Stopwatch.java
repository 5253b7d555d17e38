package dev.quern.conformance.report;

import dev.quern.conformance.CellResult;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;

/// How long each test took: the time between its results and those of the test before. It listens
/// to the progress of a run.
///
/// @since 0.1
/// @stability api
public final class Stopwatch implements Consumer<CellResult> {
  private final Map<String, Long> nanos = new LinkedHashMap<>();
  private long last = System.nanoTime();

  /// The run starts now.
  public Stopwatch() {}

  @Override
  public void accept(CellResult cell) {
    long now = System.nanoTime();
    nanos.merge(TestResult.key(cell), now - last, Long::sum);
    last = now;
  }

  /// Nanoseconds of each test: of a rule on a subject.
  public Map<String, Long> nanos() {
    return Map.copyOf(nanos);
  }
}

package dev.quern.spring.boot;

import java.util.concurrent.atomic.AtomicReference;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.diagnostics.FailureAnalysisReporter;

/// What Spring Boot would print of a start that failed; it makes one of these itself, by the tests'
/// `META-INF/spring.factories`.
public final class RecordedFailures implements FailureAnalysisReporter {
  private static final AtomicReference<FailureAnalysis> LAST = new AtomicReference<>();

  static FailureAnalysis last() {
    return LAST.get();
  }

  @Override
  public void report(FailureAnalysis analysis) {
    LAST.set(analysis);
  }
}

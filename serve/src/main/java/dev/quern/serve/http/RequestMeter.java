package dev.quern.serve.http;

import java.time.Duration;

/// Hears of each answer.
@FunctionalInterface
public interface RequestMeter {
  /// @param route the path of its row in the table of routes, or `none`
  void answered(String route, int status, Duration took);
}

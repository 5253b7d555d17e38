package dev.quern.conformance;

import net.jqwik.api.sessions.JqwikSession;

/// What generates and shrinks runs in a jqwik session. jqwik keeps what belongs to a session in one
/// place for the whole process, so there is one session at a time, however many threads JUnit runs
/// tests on. Cases are drawn in a session and checked outside.
final class Sessions {
  private static final Object ONE_SESSION = new Object();

  private Sessions() {}

  /// Sessions don't nest, and a test may already be a jqwik property.
  static void run(Runnable body) {
    synchronized (ONE_SESSION) {
      if (JqwikSession.isActive()) {
        body.run();
      } else {
        JqwikSession.run(body::run);
      }
    }
  }
}

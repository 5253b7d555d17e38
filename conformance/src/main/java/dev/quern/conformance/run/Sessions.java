package dev.quern.conformance.run;

import net.jqwik.api.sessions.JqwikSession;

/// What generates and shrinks runs in a jqwik session. There is one at a time in a process: jqwik's
/// `run` waits for the others, since its stores can't be shared. So cases are drawn in a session
/// and checked outside, or nothing would run in parallel where JUnit is told so.
public final class Sessions {
  private Sessions() {}

  /// Sessions don't nest, and a test may already be a jqwik property.
  public static void run(Runnable body) {
    if (JqwikSession.isActive()) {
      body.run();
    } else {
      JqwikSession.run(body::run);
    }
  }
}

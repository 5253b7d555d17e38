package dev.quern.conformance.run;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// Threads that the suite has started, and those that wait for them: whoever looks for threads of a
/// provider's own passes over them. Where JUnit runs tests in parallel there are many.
public final class SuiteThreads {
  private static final Set<Long> IDS = ConcurrentHashMap.newKeySet();

  private SuiteThreads() {}

  /// A daemon that is not started yet.
  public static Thread unstarted(String name, Runnable body) {
    return Thread.ofPlatform().daemon().name(name).unstarted(() -> as(body));
  }

  private static void as(Runnable body) {
    enter();
    try {
      body.run();
    } finally {
      leave();
    }
  }

  /// The current thread is the suite's from now on.
  static void enter() {
    IDS.add(Thread.currentThread().threadId());
  }

  static void leave() {
    IDS.remove(Thread.currentThread().threadId());
  }

  static boolean has(long id) {
    return IDS.contains(id);
  }
}

package dev.quern.llama.text;

import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.Optional;
import java.util.Set;

/// Finds the [OutOfMemoryError] behind another error. A heap that one thread has filled stops any
/// other at whatever it allocates next, and where that is in linking a call site or initializing a
/// class, the JVM throws a [LinkageError] around it, or one that only quotes it.
public final class RanOutOfMemory {
  /// How an [ExceptionInInitializerError] begins that the JVM has recorded for later uses of the
  /// class (JDK-8048190); what was thrown is there in words alone.
  private static final String RECORDED = "Exception " + OutOfMemoryError.class.getName() + ": ";

  private static final String RECORDED_IN = " [in thread ";

  private RanOutOfMemory() {}

  /// The first among what was thrown, its causes and what was suppressed.
  public static Optional<OutOfMemoryError> behind(Throwable thrown) {
    Set<Throwable> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    Deque<Throwable> open = new ArrayDeque<>();
    open.add(thrown);
    while (!open.isEmpty()) {
      Throwable t = open.remove();
      if (!seen.add(t)) {
        continue;
      }
      if (t instanceof OutOfMemoryError e) {
        return Optional.of(e);
      }
      String message = t.getMessage();
      if (t instanceof ExceptionInInitializerError
          && message != null
          && message.startsWith(RECORDED)) {
        String words = message.substring(RECORDED.length());
        int end = words.lastIndexOf(RECORDED_IN);
        return Optional.of(new OutOfMemoryError(end < 0 ? words : words.substring(0, end)));
      }
      if (t.getCause() != null) {
        open.add(t.getCause());
      }
      for (Throwable suppressed : t.getSuppressed()) {
        open.add(suppressed);
      }
    }
    return Optional.empty();
  }
}

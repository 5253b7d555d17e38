package dev.quern.conformance.run;

import java.util.Locale;
import java.util.concurrent.atomic.AtomicInteger;

/// How often a kernel of an operator did not end. Each costs its time limit and a thread, so that
/// after some of them nothing more of that operator is tried: the verdict stands.
public final class Hangs {
  private static final int MANY = 3;

  private final AtomicInteger count = new AtomicInteger();

  /// One more.
  public void add() {
    count.incrementAndGet();
  }

  /// Whether nothing more is tried.
  public boolean tooMany() {
    return count.get() >= MANY;
  }

  /// Why what comes then is not tried.
  public String reason() {
    return String.format(
        Locale.ROOT, "given up: %d cases of this operator did not end", count.get());
  }
}

package dev.quern.discovery;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/// Asks providers, which are other people's code, without waiting for ever: each question runs on a
/// thread of its own, and an answer, whatever is thrown, or silence is an [Outcome].
///
/// A thread that gives no answer is interrupted and left behind: Java can't end it, but it is a
/// daemon and keeps no JVM alive. Against [System#exit], or a crash in native code, nothing helps.
///
/// An answer that comes too late can be taken care of all the same (see [#ask(List, Consumer)]).
///
/// Errors of the JVM count as the provider's, also [OutOfMemoryError]: where the heap is really
/// full, whoever allocates next says so.
///
/// @param limit how long to wait for all answers together
public record Guard(Duration limit) {
  public static final Guard DEFAULT = new Guard(Duration.ofSeconds(10));

  /// What became of a question.
  ///
  /// @param value the answer, which may be null
  /// @param thrown what was thrown instead, a [TimeoutException] where there was silence; null
  ///   where there is an answer
  public record Outcome<T>(T value, Throwable thrown) {}

  /// Asks one.
  public <T> Outcome<T> ask(Callable<T> question) {
    return ask(List.of(question)).getFirst();
  }

  /// Asks several at once, so that the slow don't add up.
  public <T> List<Outcome<T>> ask(List<Callable<T>> questions) {
    return ask(questions, _ -> {});
  }

  /// Asks several at once.
  ///
  /// @param late is given an answer that comes when nobody waits for it any more, on the thread
  ///   that was left behind
  public <T> List<Outcome<T>> ask(List<Callable<T>> questions, Consumer<T> late) {
    List<Question<T>> asked = questions.stream().map(q -> new Question<>(q, late)).toList();
    List<Thread> threads = new ArrayList<>();
    for (Question<T> question : asked) {
      threads.add(Thread.ofPlatform().daemon().name("quern-asks-a-provider").start(question));
    }
    long end = System.nanoTime() + limit.toNanos();
    List<Outcome<T>> outcomes = new ArrayList<>();
    for (int i = 0; i < asked.size(); i++) {
      boolean answered = ends(threads.get(i), end) || !asked.get(i).giveUp();
      outcomes.add(answered ? asked.get(i).outcome() : new Outcome<>(null, silence()));
    }
    return outcomes;
  }

  /// Waits for a thread. An interrupt of the caller waits too, since the end is not far, and is not
  /// lost.
  private static boolean ends(Thread thread, long end) {
    boolean interrupted = false;
    try {
      while (true) {
        try {
          boolean ended = thread.join(Duration.ofNanos(Math.max(0, end - System.nanoTime())));
          if (!ended) {
            thread.interrupt();
          }
          return ended;
        } catch (InterruptedException _) { // restored below
          interrupted = true;
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private TimeoutException silence() {
    return new TimeoutException(
        String.format(
            Locale.ROOT,
            "gave no answer within %.3g s; its thread is left behind",
            limit.toMillis() / 1e3));
  }

  /// Not a `FutureTask`: its `ExecutionException` asks what was thrown for its text, which may
  /// throw again.
  private static final class Question<T> implements Runnable {
    private final Callable<T> call;
    private final Consumer<T> late;
    private final AtomicBoolean settled = new AtomicBoolean(); // answered, or given up
    private T value;
    private Throwable thrown;

    Question(Callable<T> call, Consumer<T> late) {
      this.call = call;
      this.late = late;
    }

    /// Waits no longer, unless the answer is there.
    boolean giveUp() {
      return settled.compareAndSet(false, true);
    }

    /// Allocates nothing of its own: in a full heap an answer would be lost, and with it the
    /// thread.
    @Override
    public void run() {
      try {
        value = call.call();
      } catch (Throwable t) { // whatever it is, it is the answer
        thrown = t;
      }
      if (!settled.compareAndSet(false, true)) {
        late.accept(value);
      }
    }

    /// Once it is answered.
    Outcome<T> outcome() {
      return new Outcome<>(value, thrown);
    }
  }
}

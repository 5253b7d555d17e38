package dev.quern.conformance.run;

import dev.quern.data.Task;
import dev.quern.data.Workers;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// Workers on the calling thread that stop in the middle of a call until they are told to go on: so
/// a call can be held for as long as one likes, where a scheduler would hold it for a moment.
public final class Gate implements Workers {
  /// Where a call is held.
  public enum Place {
    /// Before the first task of its first run.
    BEFORE_TASKS,
    /// After the first task of its first run.
    BETWEEN_TASKS,
    /// After the last task of its first run.
    AFTER_TASKS
  }

  private final int parallelism;
  private final Place place;
  private final CountDownLatch heldOrOver = new CountDownLatch(1);
  private final CountDownLatch goOn = new CountDownLatch(1);
  private volatile boolean held;

  /// @param parallelism how many workers they say they are
  public Gate(int parallelism, Place place) {
    this.parallelism = parallelism;
    this.place = place;
  }

  @Override
  public int parallelism() {
    return parallelism;
  }

  @Override
  public void run(int tasks, Task body) {
    if (place == Place.BEFORE_TASKS) {
      stop();
    }
    for (int t = 0; t < tasks; t++) {
      body.run(t, t % parallelism);
      if (place == Place.BETWEEN_TASKS) {
        stop();
      }
    }
    stop(); // nothing, if it stopped before
  }

  private void stop() {
    held = true;
    heldOrOver.countDown();
    try {
      goOn.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException("interrupted in the middle of a call", e);
    }
  }

  /// Waits until the call is held, or over.
  ///
  /// @return whether it was either in that time
  public boolean await(Duration limit) throws InterruptedException {
    return heldOrOver.await(limit.toNanos(), TimeUnit.NANOSECONDS);
  }

  /// Whether the call was held: it is not where it hands out no tasks.
  public boolean held() {
    return held;
  }

  /// The call is over.
  public void over() {
    heldOrOver.countDown();
  }

  /// Lets the call go on.
  public void open() {
    goOn.countDown();
  }
}

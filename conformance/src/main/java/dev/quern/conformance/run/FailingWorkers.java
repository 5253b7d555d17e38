package dev.quern.conformance.run;

import dev.quern.data.Task;
import dev.quern.data.Workers;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/// Workers on the calling thread, by turns, of which one task fails: they throw in its place, or
/// run it on another thread, which may not touch the calling thread's memory.
public final class FailingWorkers implements Workers {
  /// Places that are tried of one run.
  private static final int OF_A_RUN = 5;

  /// A task of a call.
  ///
  /// @param run number of the run in the call, from 0
  /// @param task the task's number
  /// @param tasks of that run
  /// @param worker who has the task
  public record Place(int run, int task, int tasks, int worker) {
    @Override
    public String toString() {
      return String.format(
          Locale.ROOT, "task %d of %d in run %d, worker %d", task, tasks, run, worker);
    }
  }

  private final int parallelism;
  private final List<Integer> runs = new ArrayList<>();
  private Place place;
  private Throwable failure; // what is thrown, or was
  private boolean elsewhere;

  /// @param parallelism how many they say they are
  public FailingWorkers(int parallelism) {
    this.parallelism = parallelism;
  }

  @Override
  public int parallelism() {
    return parallelism;
  }

  /// Where the call before could have failed: in each run of it the first tasks of the first
  /// workers, one in the middle, and the last.
  public List<Place> places() {
    List<Place> places = new ArrayList<>();
    for (int r = 0; r < runs.size(); r++) {
      int tasks = runs.get(r);
      Set<Integer> at = new LinkedHashSet<>();
      for (int t = 0; t < Math.min(tasks, Math.min(parallelism, OF_A_RUN - 2)); t++) {
        at.add(t);
      }
      if (tasks > 0) {
        at.add(tasks / 2);
        at.add(tasks - 1);
      }
      for (int task : at) {
        places.add(new Place(r, task, tasks, task % parallelism));
      }
    }
    return places;
  }

  /// The next call fails, once.
  public void failAt(Place place, Throwable failure) {
    this.place = place;
    this.failure = failure;
    elsewhere = false;
    runs.clear();
  }

  /// The next call runs that task on another thread.
  public void runElsewhere(Place place) {
    this.place = place;
    failure = null;
    elsewhere = true;
    runs.clear();
  }

  /// What the task threw on another thread.
  public Optional<Throwable> thrown() {
    return Optional.ofNullable(failure);
  }

  /// The next call succeeds.
  public void failNoMore() {
    place = null;
    runs.clear();
  }

  @Override
  public void run(int tasks, Task body) {
    int run = runs.size();
    runs.add(tasks);
    for (int t = 0; t < tasks; t++) {
      int task = t;
      if (place == null || place.run != run || place.task != t) {
        body.run(t, t % parallelism);
      } else if (elsewhere) {
        onAnotherThread(() -> body.run(task, task % parallelism));
      } else {
        throw FailingWorkers.<RuntimeException>asItIs(failure);
      }
    }
  }

  private void onAnotherThread(Runnable task) {
    Thread thread =
        SuiteThreads.unstarted(
            "another thread",
            () -> {
              try {
                task.run();
              } catch (Throwable e) {
                failure = e;
              }
            });
    thread.start();
    try {
      thread.join();
    } catch (InterruptedException e) {
      throw new IllegalStateException("interrupted", e);
    }
    if (failure != null) {
      throw FailingWorkers.<RuntimeException>asItIs(failure);
    }
  }

  /// A pool hands on what a task threw, checked or not.
  @SuppressWarnings("unchecked")
  private static <E extends Throwable> E asItIs(Throwable failure) throws E {
    throw (E) failure;
  }
}

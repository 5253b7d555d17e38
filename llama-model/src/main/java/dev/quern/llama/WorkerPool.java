package dev.quern.llama;

import dev.quern.data.Task;
import dev.quern.data.Workers;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/// A model's threads, and those of any other work that is cut into tasks: tasks are claimed one by
/// one, so work shifts to whoever is running when a core is taken away. Idle threads spin for a
/// moment, since the next operator of a forward pass follows within microseconds, and then park, so
/// that an idle model costs nothing.
///
/// A run never waits for a thread that has not begun: the caller closes the run to newcomers when
/// the last task is claimed. A second caller that finds the pool busy runs its tasks alone; results
/// don't depend on the split (SPEC.md, P11).
///
/// @since 0.1
/// @stability api
public final class WorkerPool implements Workers, AutoCloseable {
  /// Spins before parking: about 40 microseconds, several times the gap between two operators of a
  /// 1B model and far below a scheduler's time slice. docs/measurements.md has the figures.
  private static final int SPINS = 2_000;

  /// Added to [Run#members] when a run is closed to newcomers.
  private static final int CLOSED = Integer.MIN_VALUE / 2;

  private final int spins;
  private final Worker[] threads;
  private final ReentrantLock caller = new ReentrantLock();
  private volatile Run current;
  private volatile boolean closed;

  /// @param parallelism threads that take part in a run, the caller among them; at least 1
  public WorkerPool(int parallelism) {
    this(parallelism, SPINS);
  }

  /// @param spins how often an idle thread looks for work before it parks
  WorkerPool(int parallelism, int spins) {
    this.spins = spins;
    if (parallelism < 1) {
      throw new IllegalArgumentException("threads=" + parallelism + ", expected >= 1");
    }
    threads = new Worker[parallelism - 1];
    try {
      for (int i = 0; i < threads.length; i++) {
        threads[i] = new Worker(i + 1);
        threads[i].start();
      }
    } catch (Throwable t) { // rethrown: only the threads that have begun are ended
      end();
      throw t;
    }
  }

  @Override
  public int parallelism() {
    return threads.length + 1;
  }

  @Override
  public void run(int tasks, Task body) {
    if (tasks < 0) {
      throw new IllegalArgumentException("tasks=" + tasks + ", expected >= 0");
    }
    if (caller.isHeldByCurrentThread() || Thread.currentThread() instanceof Worker) {
      throw new IllegalStateException(
          "workers: run() was called from inside a task; runs do not nest");
    }
    if (closed) {
      throw new IllegalStateException("workers: the model is closed");
    }
    if (tasks <= 1 || threads.length == 0 || !caller.tryLock()) {
      for (int task = 0; task < tasks; task++) {
        body.run(task, 0);
      }
      return;
    }
    try {
      Run run = new Run(tasks, body);
      current = run;
      for (Worker w : threads) {
        if (w.parked) {
          LockSupport.unpark(w);
        }
      }
      run.work(0);
      run.join(spins);
      if (run.failure != null) {
        rethrow(run.failure);
      }
    } finally {
      current = null;
      caller.unlock();
    }
  }

  /// Ends the threads. Runs that have begun end first.
  @Override
  public void close() {
    caller.lock();
    try {
      end();
    } finally {
      caller.unlock();
    }
  }

  private void end() {
    closed = true;
    for (Worker w : threads) {
      LockSupport.unpark(w); // which may be null
    }
  }

  @SuppressWarnings("unchecked")
  private static <E extends Throwable> void rethrow(Throwable failure) throws E {
    throw (E) failure;
  }

  /// One run: its tasks are claimed from `next`, its members counted in `members`.
  private static final class Run {
    private final int tasks;
    private final Task body;
    private final Thread owner = Thread.currentThread();
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicInteger members = new AtomicInteger();
    private volatile Throwable failure;

    Run(int tasks, Task body) {
      this.tasks = tasks;
      this.body = body;
    }

    /// Claims and runs tasks until there are none.
    void work(int worker) {
      try {
        for (int task; (task = next.getAndIncrement()) < tasks; ) {
          body.run(task, worker);
        }
      } catch (Throwable t) { // whatever it is, it is rethrown to the caller of run()
        synchronized (this) {
          if (failure == null) {
            failure = t;
          }
        }
        next.set(tasks);
      }
    }

    /// A worker takes part, unless the run is closed already.
    void help(int worker) {
      if (members.getAndIncrement() >= 0) {
        work(worker);
      }
      if (members.decrementAndGet() == CLOSED) {
        LockSupport.unpark(owner);
      }
    }

    /// The caller closes the run and waits for the members.
    void join(int limit) {
      members.addAndGet(CLOSED);
      for (int spins = 0; members.get() != CLOSED; ) {
        if (spins < limit) {
          spins++;
          Thread.onSpinWait();
        } else {
          LockSupport.park(this);
        }
      }
    }
  }

  private final class Worker extends Thread {
    private final int number;
    private volatile boolean parked;

    Worker(int number) {
      super("quern-worker-" + number);
      this.number = number;
      setDaemon(true);
    }

    @Override
    public void run() {
      Run last = null;
      int idle = 0;
      while (!closed) {
        Run run = current;
        if (run != null && run != last) {
          run.help(number);
          last = run;
          idle = 0;
        } else if (idle < spins) {
          idle++;
          Thread.onSpinWait();
        } else {
          last = null;
          parked = true;
          // Looked at again after `parked` is visible: a caller either sees it and unparks, or has
          // published its run before this look.
          if (current == run && !closed) {
            LockSupport.park(WorkerPool.this);
          }
          parked = false;
        }
      }
    }
  }
}

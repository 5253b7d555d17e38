package dev.quern.conformance.run;

import dev.quern.data.Task;
import java.util.concurrent.atomic.AtomicInteger;

/// Workers with threads of their own; the calling thread is worker 0. A run allocates nothing, so
/// that what a kernel allocates can be measured (rule P14).
public final class ThreadWorkers extends TestWorkers {
  private final Thread[] threads;
  private final AtomicInteger nextTask = new AtomicInteger();

  // Guarded by this.
  private int generation;
  private int busy;
  private int tasks;
  private Task body;
  private Throwable failure;
  private boolean closed;

  /// @param parallelism threads, the caller's among them
  public ThreadWorkers(int parallelism) {
    super(parallelism);
    threads = new Thread[parallelism - 1];
    for (int i = 0; i < threads.length; i++) {
      int worker = i + 1;
      threads[i] = SuiteThreads.unstarted("conformance-worker-" + worker, () -> serve(worker));
      threads[i].start();
    }
  }

  /// Ids of all threads that run tasks, the calling one among them.
  public long[] threadIds() {
    long[] ids = new long[threads.length + 1];
    ids[0] = Thread.currentThread().threadId();
    for (int i = 0; i < threads.length; i++) {
      ids[i + 1] = threads[i].threadId();
    }
    return ids;
  }

  @Override
  void runAll(int tasks, Task body) {
    synchronized (this) {
      this.tasks = tasks;
      this.body = body;
      this.failure = null;
      nextTask.set(0);
      busy = threads.length;
      generation++;
      notifyAll();
    }
    work(tasks, body, 0);
    Throwable failed;
    synchronized (this) {
      boolean interrupted = false;
      while (busy > 0) {
        try {
          wait();
        } catch (InterruptedException e) {
          interrupted = true; // the join goes on: tasks still use the operands
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
      failed = failure;
      this.body = null;
    }
    switch (failed) {
      case null -> {}
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      default -> throw new IllegalStateException(failed);
    }
  }

  private void serve(int worker) {
    int seen = 0;
    while (true) {
      Task mine;
      int count;
      synchronized (this) {
        while (generation == seen && !closed) {
          try {
            wait();
          } catch (InterruptedException e) {
            return;
          }
        }
        if (closed) {
          return;
        }
        seen = generation;
        mine = body;
        count = tasks;
      }
      work(count, mine, worker);
      synchronized (this) {
        busy--;
        notifyAll();
      }
    }
  }

  private void work(int count, Task task, int worker) {
    try {
      for (int t = nextTask.getAndIncrement(); t < count; t = nextTask.getAndIncrement()) {
        task.run(t, worker);
      }
    } catch (Throwable e) {
      nextTask.set(count);
      synchronized (this) {
        failure = failure == null ? e : failure;
      }
    }
  }

  @Override
  public synchronized void close() {
    closed = true;
    notifyAll();
  }
}

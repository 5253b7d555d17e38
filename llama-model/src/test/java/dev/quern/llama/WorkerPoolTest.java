package dev.quern.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class WorkerPoolTest {
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 8})
  void runsEveryTaskOnceAndPublishesWhatItWrote(int parallelism) {
    try (WorkerPool pool = new WorkerPool(parallelism)) {
      for (int round = 0; round < 2_000; round++) {
        int tasks = round % 17;
        int[] plain = new int[tasks]; // no atomics: run() itself must order the writes
        pool.run(tasks, (task, worker) -> plain[task] = task + 1);
        for (int t = 0; t < tasks; t++) {
          assertEquals(t + 1, plain[t], "round " + round);
        }
      }
    }
  }

  @Test
  void workerNumbersAreUniqueAtAnyMoment() {
    try (WorkerPool pool = new WorkerPool(4)) {
      AtomicIntegerArray inside = new AtomicIntegerArray(4);
      AtomicBoolean clash = new AtomicBoolean();
      pool.run(
          2_000,
          (task, worker) -> {
            if (inside.incrementAndGet(worker) != 1) {
              clash.set(true);
            }
            Thread.onSpinWait();
            inside.decrementAndGet(worker);
          });
      assertFalse(clash.get());
    }
  }

  @Test
  void parkedWorkersWakeUp() {
    try (WorkerPool pool = new WorkerPool(2)) {
      for (int round = 0; round < 20; round++) {
        LockSupport.parkNanos(2_000_000); // longer than any spinning
        CountDownLatch both = new CountDownLatch(2);
        // Each task waits for the other, so this ends only if a second thread takes part.
        pool.run(
            2,
            (task, worker) -> {
              both.countDown();
              try {
                both.await();
              } catch (InterruptedException e) {
                throw new IllegalStateException(e);
              }
            });
      }
    }
  }

  @Test
  void firstFailureIsRethrownAndThePoolStaysUsable() {
    try (WorkerPool pool = new WorkerPool(3)) {
      AtomicInteger begun = new AtomicInteger();
      IllegalStateException failure =
          assertThrows(
              IllegalStateException.class,
              () ->
                  pool.run(
                      1_000_000,
                      (task, worker) -> {
                        begun.incrementAndGet();
                        if (task == 10) {
                          throw new IllegalStateException("task 10");
                        }
                      }));
      assertEquals("task 10", failure.getMessage());
      assertTrue(begun.get() < 1_000_000, "tasks that had not begun were run all the same");
      AtomicInteger after = new AtomicInteger();
      pool.run(100, (task, worker) -> after.incrementAndGet());
      assertEquals(100, after.get());
    }
  }

  @Test
  void nestedRunsAreRefused() {
    try (WorkerPool pool = new WorkerPool(2)) {
      IllegalStateException refused =
          assertThrows(
              IllegalStateException.class,
              () -> pool.run(4, (task, worker) -> pool.run(2, (t, w) -> {})));
      assertTrue(refused.getMessage().contains("do not nest"), refused.getMessage());
    }
  }

  @Test
  void callersShareThePool() throws InterruptedException {
    try (WorkerPool pool = new WorkerPool(2)) {
      AtomicInteger sum = new AtomicInteger();
      List<Thread> callers = new ArrayList<>();
      for (int c = 0; c < 4; c++) {
        callers.add(
            Thread.ofPlatform()
                .start(() -> {
                  for (int i = 0; i < 500; i++) {
                    pool.run(7, (task, worker) -> sum.incrementAndGet());
                  }
                }));
      }
      for (Thread caller : callers) {
        caller.join();
      }
      assertEquals(4 * 500 * 7, sum.get());
    }
  }

  @Test
  void aClosedPoolSaysSo() {
    WorkerPool pool = new WorkerPool(2);
    pool.close();
    assertThrows(IllegalStateException.class, () -> pool.run(2, (task, worker) -> {}));
  }
}

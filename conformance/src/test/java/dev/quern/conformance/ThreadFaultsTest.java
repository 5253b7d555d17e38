package dev.quern.conformance;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.conformance.cases.Case;
import dev.quern.conformance.catalog.SuiteCatalog;
import dev.quern.conformance.rules.OperatorSuite;
import dev.quern.conformance.rules.Rule;
import dev.quern.conformance.rules.Subject;
import dev.quern.data.F32Matrix;
import dev.quern.data.Task;
import dev.quern.data.Workers;
import dev.quern.data.Workspace;
import dev.quern.op.LinearKernel;
import dev.quern.op.LinearPacker;
import dev.quern.op.LinearSpec;
import dev.quern.op.RmsNormKernel;
import dev.quern.op.RmsNormSpec;
import dev.quern.op.SwiGluKernel;
import dev.quern.op.SwiGluSpec;
import dev.quern.provider.scalar.ScalarProvider;
import dev.quern.spi.KernelProvider;
import dev.quern.spi.Offer;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Faults of kernels with threads, each killed by the check that is there for it. Without these
/// checks all of them pass: their results are right, or wrong in few schedules.
class ThreadFaultsTest {
  private static final String PATIENCE = "quern.conformance.patience";
  private static final Settings SETTINGS =
      new Settings(Settings.DEFAULT_TRIES, Settings.DEFAULT_SEED, Optional.empty());

  /// The first failure of a check on kinds of spec, if it fails.
  private static Optional<Failure> failure(
      KernelProvider provider, String operator, String subject, String check) {
    Target here = Target.here(new ScalarProvider());
    return Suite.run(
            new Target(provider, here.platform(), here.support()),
            SETTINGS,
            new Selection(
                Set.of(operator), Set.of(subject), Set.of(check.substring(0, check.indexOf('_')))),
            OneCheck.untilItFails(check),
            cell -> {})
        .cells()
        .stream()
        .filter(c -> c.testName().equals(check))
        .flatMap(c -> c.firstFailure().stream())
        .findFirst();
  }

  private static String message(
      KernelProvider provider, String operator, String subject, String check) {
    return failure(provider, operator, subject, check).orElseThrow().message();
  }

  /// The check fails on one of the kinds of spec. Nothing is shrunk.
  private static void killed(
      KernelProvider provider, String operator, String subject, String check) {
    assertTrue(
        SuiteCatalog.operators().stream()
            .filter(s -> s.name().equals(operator))
            .anyMatch(s -> fails(s, provider, subject, check)),
        () -> "survived " + check);
  }

  private static <C extends Record & Case> boolean fails(
      OperatorSuite<C> suite, KernelProvider provider, String subject, String check) {
    Target here = Target.here(new ScalarProvider());
    Target target = new Target(provider, here.platform(), here.support());
    Subject<C> tried =
        suite.subjects(target).stream()
            .filter(s -> s.label().startsWith(subject))
            .findFirst()
            .orElseThrow();
    Rule<C> rule =
        suite.rules().stream().filter(r -> r.testName().equals(check)).findFirst().orElseThrow();
    return new PropertyRunner<>(suite, tried, rule, target, SETTINGS)
        .triesUntilFailure()
        .isPresent();
  }

  /// What waits in vain does so for half a second, where the suite gives it ten.
  private static void impatient() {
    System.setProperty(PATIENCE, "0.05");
  }

  @AfterEach
  void patientAgain() {
    System.clearProperty(PATIENCE);
  }

  private static KernelProvider linear(UnaryOperator<LinearPacker> fault) {
    return new WrappedProvider() {
      @Override
      public Offer<LinearPacker> linear(LinearSpec spec) {
        return map(super.linear(spec), fault);
      }
    };
  }

  private static KernelProvider norm(Function<RmsNormKernel, RmsNormKernel> fault) {
    return new WrappedProvider() {
      @Override
      public Offer<RmsNormKernel> rmsNorm(RmsNormSpec spec) {
        return map(super.rmsNorm(spec), fault::apply);
      }
    };
  }

  private interface NormFault {
    void apply(RmsNormKernel right, F32Matrix x, F32Matrix weight, F32Matrix y, Workspace w);
  }

  private static KernelProvider norm(NormFault fault) {
    return norm(right -> kernel(right, fault));
  }

  private static RmsNormKernel kernel(RmsNormKernel right, NormFault fault) {
    return new RmsNormKernel() {
      @Override
      public long scratchBytes(int rows, int parallelism) {
        return right.scratchBytes(rows, parallelism);
      }

      @Override
      public void apply(F32Matrix x, F32Matrix weight, F32Matrix y, Workspace w) {
        fault.apply(right, x, weight, y, w);
      }
    };
  }

  /// The same workers, with other tasks.
  private static Workspace with(Workspace w, UnaryOperator<Task> change) {
    Workers workers = w.workers();
    return new Workspace(
        w.scratch(),
        new Workers() {
          @Override
          public int parallelism() {
            return workers.parallelism();
          }

          @Override
          public void run(int tasks, Task body) {
            workers.run(tasks, change.apply(body));
          }
        });
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 5, 8, 11, 29, 37, 53, 63, 64})
  void wrongAtOneWorkerCount(int count) {
    KernelProvider provider =
        WrappedProvider.linear((right, x, y, w) -> {
          right.apply(x, y, w);
          if (w.workers().parallelism() == count) {
            int last = y.columns() - 1;
            y.set(0, last, y.get(0, last) + 1);
          }
        });
    for (String subject : List.of("F32", "Q4_0", "Q6_K", "INT8_C")) {
      killed(provider, "linear", subject, "P11_worker_counts");
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 8, 23, 41, 63})
  void oneWorkersTasksAreLost(int lost) {
    KernelProvider provider =
        norm((right, x, weight, y, w) ->
            right.apply(
                x,
                weight,
                y,
                with(
                    w,
                    body ->
                        (task, worker) -> {
                          if (worker != lost) {
                            body.run(task, worker);
                          }
                        })));
    killed(provider, "rmsnorm", "F32", "P11_many_tasks");
  }

  /// Worker 0 prepares for all others, who come too early or find that it never came.
  @Test
  void onlyWorkerZeroPrepares() {
    KernelProvider provider =
        norm((right, x, weight, y, w) -> {
          boolean[] prepared = {false};
          right.apply(
              x,
              weight,
              y,
              with(
                  w,
                  body ->
                      (task, worker) -> {
                        prepared[0] |= worker == 0;
                        if (prepared[0]) {
                          body.run(task, worker);
                        }
                      }));
        });
    killed(provider, "rmsnorm", "F32", "P11_any_schedule");
  }

  @Test
  void workersThirteenApartShareScratch() {
    RmsNormKernel scratchy =
        new RmsNormKernel() {
          @Override
          public long scratchBytes(int rows, int parallelism) {
            return 64L * parallelism;
          }

          @Override
          public void apply(F32Matrix x, F32Matrix weight, F32Matrix y, Workspace w) {
            w.workers()
                .run(
                    x.rows(),
                    (row, worker) -> {
                      for (int i = 0; i < 16; i++) {
                        w.scratch().set(JAVA_FLOAT, 64L * (worker % 13) + 4 * i, row + i);
                      }
                    });
          }
        };
    killed(norm(right -> scratchy), "rmsnorm", "F32", "P11_own_scratch");
  }

  @Test
  void aLockAroundEachCallOfAKernel() {
    impatient();
    KernelProvider provider =
        norm(right -> {
          ReentrantLock lock = new ReentrantLock();
          return kernel(
              right,
              (k, x, weight, y, w) -> {
                lock.lock();
                try {
                  k.apply(x, weight, y, w);
                } finally {
                  lock.unlock();
                }
              });
        });
    for (String check : List.of("P12_two_threads", "P12_no_call_waits")) {
      String message = message(provider, "rmsnorm", "F32", check);
      assertTrue(message.contains("no end of a call"), message);
      assertTrue(message.contains("ThreadFaultsTest"), message); // where it stands
    }
  }

  @Test
  void aLockAroundAllKernels() {
    impatient();
    Object lock = new Object();
    KernelProvider provider =
        WrappedProvider.linear((right, x, y, w) -> {
          synchronized (lock) {
            right.apply(x, y, w);
          }
        });
    killed(provider, "linear", "Q8_0", "P12_no_call_waits");
  }

  @Test
  void eightBuffersForAllCalls() {
    impatient();
    Semaphore buffers = new Semaphore(8);
    KernelProvider provider =
        norm((right, x, weight, y, w) -> {
          buffers.acquireUninterruptibly();
          try {
            right.apply(x, weight, y, w);
          } finally {
            buffers.release();
          }
        });
    assertEquals(Optional.empty(), failure(provider, "rmsnorm", "F32", "P12_two_threads"));
    killed(provider, "rmsnorm", "F32", "P12_no_call_waits");
  }

  @Test
  void aLockThatPackAndCallsShare() {
    impatient();
    ReentrantLock lock = new ReentrantLock();
    KernelProvider provider =
        linear(packer ->
            (stacked, packed, workers) -> {
              LinearKernel right;
              lock.lock();
              try {
                workers.run(4, (task, worker) -> {});
                right = packer.pack(stacked, packed, workers);
              } finally {
                lock.unlock();
              }
              return calls(
                  right,
                  (k, x, y, w) -> {
                    lock.lock(); // it is not held while the kernel runs
                    lock.unlock();
                    k.apply(x, y, w);
                  });
            });
    killed(provider, "linear", "F32", "P12_no_call_waits_for_pack");
  }

  private static LinearKernel calls(LinearKernel right, WrappedProvider.LinearFault fault) {
    return new LinearKernel() {
      @Override
      public boolean retainsSource() {
        return right.retainsSource();
      }

      @Override
      public long scratchBytes(int rows, int parallelism) {
        return right.scratchBytes(rows, parallelism);
      }

      @Override
      public void apply(F32Matrix x, F32Matrix y, Workspace w) {
        fault.apply(right, x, y, w);
      }
    };
  }

  /// A thread that was there before. A stream or a task of the common pool may be run by who waits
  /// for it.
  private static final ExecutorService OWN =
      Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().factory());

  private static void elsewhere(Runnable body) {
    CompletableFuture.runAsync(body, OWN).join();
  }

  /// One element of the output, and that by a thread that was there before.
  @Test
  void aPoolWritesOneElement() {
    KernelProvider provider =
        norm((right, x, weight, y, w) -> {
          right.apply(x, weight, y, w);
          float first = y.get(0, 0);
          elsewhere(() -> y.set(0, 0, first));
        });
    String message = message(provider, "rmsnorm", "F32", "P13_callers_thread_alone");
    assertTrue(message.contains("WrongThreadException"), message);
  }

  @Test
  void aPoolPacks() {
    KernelProvider provider =
        linear(packer ->
            (stacked, packed, workers) ->
                CompletableFuture.supplyAsync(
                        () -> packer.pack(stacked, packed, workers), ForkJoinPool.commonPool())
                    .join());
    killed(provider, "linear", "F16", "P13_pack_callers_threads");
  }

  @Test
  void aPoolCopiesOneByteOfTheSource() {
    KernelProvider provider =
        linear(packer ->
            (stacked, packed, workers) -> {
              MemorySegment room = packed.allocate(1);
              MemorySegment data = stacked.getFirst().data();
              elsewhere(() -> room.set(JAVA_BYTE, 0, data.get(JAVA_BYTE, 0)));
              return packer.pack(stacked, packed, workers);
            });
    killed(provider, "linear", "F16", "P13_callers_thread_alone");
  }

  /// What other threads are given is a copy on the heap: none of them touches an operand.
  static List<Executor> pools() {
    List<Executor> pools = new ArrayList<>();
    pools.add(ForkJoinPool.commonPool());
    pools.add(body -> IntStream.range(0, 64).parallel().forEach(i -> body.run()));
    pools.add(Executors.newVirtualThreadPerTaskExecutor());
    pools.add(Executors.newFixedThreadPool(3, Thread.ofPlatform().daemon().factory()));
    return pools;
  }

  @ParameterizedTest
  @MethodSource("pools")
  void aPoolComputesOnCopies(Executor pool) {
    KernelProvider provider =
        norm((right, x, weight, y, w) -> {
          right.apply(x, weight, y, w);
          float first = y.get(0, 0);
          y.set(0, 0, CompletableFuture.supplyAsync(() -> first, pool).join());
        });
    killed(provider, "rmsnorm", "F32", "P13_callers_threads");
    if (pool instanceof ExecutorService service && service != ForkJoinPool.commonPool()) {
      service.shutdown();
    }
  }

  /// Handed over, and not waited for.
  @Test
  void aThreadThatWorksAfterTheCall() {
    BlockingQueue<float[]> rows = new ArrayBlockingQueue<>(1000);
    Thread thread =
        Thread.ofPlatform()
            .daemon()
            .start(() -> {
              try {
                while (rows.take().length > 0) {}
              } catch (InterruptedException e) {
                return;
              }
            });
    KernelProvider provider =
        norm((right, x, weight, y, w) -> {
          right.apply(x, weight, y, w);
          rows.offer(new float[1]);
        });
    killed(provider, "rmsnorm", "F32", "P13_callers_threads");
    thread.interrupt();
  }

  /// A kernel that drops errors, or exceptions, of its workers.
  @ParameterizedTest
  @ValueSource(classes = {Error.class, RuntimeException.class, OutOfMemoryError.class})
  void failuresAreSwallowed(Class<? extends Throwable> kind) {
    KernelProvider provider =
        WrappedProvider.linear((right, x, y, w) -> {
          try {
            right.apply(x, y, w);
          } catch (Throwable e) {
            if (!kind.isInstance(e)) {
              throw e;
            }
          }
        });
    killed(provider, "linear", "Q4_1", "P18_failing_workers");
  }

  /// Of a task, which other workers than the first drop: theirs are threads that nobody looks at.
  @Test
  void failuresOfATaskAreSwallowedInIt() {
    KernelProvider provider =
        norm((right, x, weight, y, w) ->
            right.apply(
                x,
                weight,
                y,
                with(
                    w,
                    body ->
                        (task, worker) -> {
                          try {
                            body.run(task, worker);
                          } catch (RuntimeException e) {
                            if (worker == 0) {
                              throw e;
                            }
                          }
                        })));
    killed(provider, "rmsnorm", "F32", "P18_failing_tasks");
  }

  @Test
  void aPoolComputesHalfOfManyRows() {
    KernelProvider provider =
        norm((right, x, weight, y, w) -> {
          right.apply(x, weight, y, w);
          if (x.rows() >= 120) {
            elsewhere(() -> y.get(0, 0));
          }
        });
    killed(provider, "rmsnorm", "F32", "P13_many_tasks_alone");
  }

  @Test
  void failuresAreWrapped() {
    KernelProvider provider =
        norm((right, x, weight, y, w) -> {
          try {
            right.apply(x, weight, y, w);
          } catch (Error e) {
            throw new IllegalStateException(e);
          }
        });
    killed(provider, "rmsnorm", "F32", "P18_failing_workers");
  }

  /// The second run of a call is the one whose failure is dropped.
  @Test
  void theSecondRunsFailureIsSwallowed() {
    KernelProvider provider =
        WrappedProvider.linear((right, x, y, w) -> {
          int[] runs = {0};
          Workers workers = w.workers();
          right.apply(
              x,
              y,
              new Workspace(
                  w.scratch(),
                  new Workers() {
                    @Override
                    public int parallelism() {
                      return workers.parallelism();
                    }

                    @Override
                    public void run(int tasks, Task body) {
                      try {
                        workers.run(tasks, body);
                      } catch (Throwable e) {
                        if (runs[0] == 0) {
                          throw e;
                        }
                      }
                      runs[0]++;
                    }
                  }));
        });
    killed(provider, "linear", "F32", "P18_failing_workers");
  }

  /// A mark that says "in use" is not taken back, and the next call is another.
  @Test
  void aKernelIsLeftInUse() {
    KernelProvider provider =
        new WrappedProvider() {
          @Override
          public Offer<SwiGluKernel> swiGlu(SwiGluSpec spec) {
            return map(
                super.swiGlu(spec),
                right ->
                    new SwiGluKernel() {
                      private boolean inUse;

                      @Override
                      public long scratchBytes(int rows, int parallelism) {
                        return right.scratchBytes(rows, parallelism);
                      }

                      @Override
                      public void apply(F32Matrix gate, F32Matrix up, F32Matrix y, Workspace w) {
                        boolean before = inUse;
                        inUse = true;
                        right.apply(gate, up, y, w);
                        y.set(0, 0, before ? y.get(0, 0) + 1 : y.get(0, 0));
                        inUse = false;
                      }
                    });
          }
        };
    killed(provider, "swiglu", "F32", "P18_failing_workers");
  }

  @Test
  void packSwallowsAFailure() {
    KernelProvider provider =
        linear(packer ->
            (stacked, packed, workers) -> {
              try {
                workers.run(3, (task, worker) -> {});
              } catch (Throwable e) {
                return packer.pack(stacked, packed, Workers.sequential());
              }
              return packer.pack(stacked, packed, workers);
            });
    killed(provider, "linear", "BF16", "P18_failing_pack");
  }

  @Test
  void packHidesThatThereIsNoMemory() {
    KernelProvider provider =
        linear(packer ->
            (stacked, packed, workers) -> {
              try {
                packed.allocate(64, 64);
              } catch (OutOfMemoryError e) {
                throw new IllegalStateException("no memory", e);
              }
              return packer.pack(stacked, packed, workers);
            });
    killed(provider, "linear", "BF16", "P18_failing_pack");
  }

  @Test
  void whatIsPackedDependsOnTheWorkers() {
    KernelProvider provider =
        linear(packer ->
            (stacked, packed, workers) -> {
              float parts = workers.parallelism() > 60 ? 1 : 0;
              return calls(
                  packer.pack(stacked, packed, workers),
                  (right, x, y, w) -> {
                    right.apply(x, y, w);
                    y.set(0, 0, y.get(0, 0) + parts);
                  });
            });
    killed(provider, "linear", "Q5_0", "P11_pack_any_schedule");
  }

  /// The checks see nothing in a provider that is right.
  @Test
  void theWrapperAloneBreaksNothing() {
    Target here = Target.here(new ScalarProvider());
    KernelProvider provider = WrappedProvider.linear(LinearKernel::apply);
    SuiteResult result =
        Suite.run(
            new Target(provider, here.platform(), here.support()),
            SETTINGS,
            new Selection(Set.of("linear"), Set.of("Q4_K"), Set.of("P11", "P12", "P13", "P18")),
            cell -> {});
    assertEquals(
        List.of(),
        result.cells().stream()
            .flatMap(c -> c.firstFailure().stream())
            .map(Failure::message)
            .toList());
    assertTrue(result.green());
  }
}

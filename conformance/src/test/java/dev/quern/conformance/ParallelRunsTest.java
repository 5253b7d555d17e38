package dev.quern.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.conformance.run.Sessions;
import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;
import dev.quern.op.RmsNormKernel;
import dev.quern.op.RmsNormSpec;
import dev.quern.op.SwiGluKernel;
import dev.quern.op.SwiGluSpec;
import dev.quern.provider.scalar.ScalarProvider;
import dev.quern.spi.KernelProvider;
import dev.quern.spi.Offer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// JUnit may run the suite's tests at the same time, and beside other tests.
class ParallelRunsTest {
  private static final int THREADS = 4;

  private static List<CellResult> run(
      KernelProvider provider, Settings settings, Set<String> operators, Set<String> rules) {
    Target here = Target.here(new ScalarProvider());
    return Suite.run(
            new Target(provider, here.platform(), here.support()),
            settings,
            new Selection(operators, Set.of(), rules),
            cell -> {})
        .cells();
  }

  private static <T> List<T> together(List<Callable<T>> tasks) throws Exception {
    try (ExecutorService threads = Executors.newFixedThreadPool(tasks.size())) {
      List<T> results = new ArrayList<>();
      for (Future<T> f : threads.invokeAll(tasks)) {
        results.add(f.get());
      }
      return results;
    }
  }

  @Test
  void theCasesAreThoseOfOneThread() throws Exception {
    // P4 asks for offers alone, of all formats: many sessions in little time.
    Settings settings = new Settings(50, 7, Optional.empty());
    Callable<List<CellResult>> task =
        () -> run(new ScalarProvider(), settings, Set.of(), Set.of("P4", "R1", "N1", "N2", "S1"));
    List<CellResult> alone = task.call();
    assertTrue(alone.stream().anyMatch(c -> c.worstRatio() > 0), "nothing with a bound was run");
    for (List<CellResult> result : together(Stream.generate(() -> task).limit(THREADS).toList())) {
      assertEquals(alone, result);
    }
  }

  /// jqwik's stores "CANNOT handle concurrent execution", and its sessions wait for each other.
  @Test
  void thereIsOneSessionAtATime() throws Exception {
    AtomicInteger inside = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    Callable<Integer> task =
        () -> {
          for (int i = 0; i < 10; i++) {
            Sessions.run(() -> {
              most.accumulateAndGet(inside.incrementAndGet(), Math::max);
              LockSupport.parkNanos(1_000_000); // long enough for another to come in
              inside.decrementAndGet();
            });
          }
          return most.get();
        };
    together(Stream.generate(() -> task).limit(THREADS).toList());
    assertEquals(1, most.get());
  }

  /// A kernel that is wrong is shrunk to the same case, too.
  @Test
  void theShrunkCaseIsThatOfOneThread() throws Exception {
    KernelProvider wrong =
        new WrappedProvider() {
          @Override
          public Offer<RmsNormKernel> rmsNorm(RmsNormSpec spec) {
            return map(super.rmsNorm(spec), right -> doubled(right));
          }
        };
    Settings settings = new Settings(20, 7, Optional.empty());
    Callable<List<CellResult>> task =
        () -> run(wrong, settings, Set.of("rmsnorm"), Set.of("N1", "N6"));
    List<CellResult> alone = task.call();
    assertTrue(alone.stream().anyMatch(c -> c.firstFailure().isPresent()), "no failure");
    for (List<CellResult> result : together(Stream.generate(() -> task).limit(THREADS).toList())) {
      assertEquals(alone, result);
    }
  }

  private static RmsNormKernel doubled(RmsNormKernel right) {
    return watched(
        right,
        y -> {
          for (int r = 0; r < y.rows(); r++) {
            y.set(r, 0, 2 * y.get(r, 0));
          }
        });
  }

  private interface After {
    void see(F32Matrix y);
  }

  private static RmsNormKernel watched(RmsNormKernel right, After after) {
    return new RmsNormKernel() {
      @Override
      public long scratchBytes(int rows, int parallelism) {
        return right.scratchBytes(rows, parallelism);
      }

      @Override
      public void apply(F32Matrix x, F32Matrix weight, F32Matrix y, Workspace w) {
        right.apply(x, weight, y, w);
        after.see(y);
      }
    };
  }

  /// Where a kernel ends the process, the file must name its case, and no other thread's.
  @Test
  void theBreadcrumbIsTheCaseThatRuns(@TempDir Path dir) throws Exception {
    Path file = dir.resolve("case");
    AtomicInteger calls = new AtomicInteger();
    AtomicInteger others = new AtomicInteger();
    KernelProvider watching =
        new WrappedProvider() {
          @Override
          public Offer<RmsNormKernel> rmsNorm(RmsNormSpec spec) {
            return map(super.rmsNorm(spec), k -> watched(k, y -> see("/rmsnorm:")));
          }

          @Override
          public Offer<SwiGluKernel> swiGlu(SwiGluSpec spec) {
            return map(
                super.swiGlu(spec),
                right ->
                    new SwiGluKernel() {
                      @Override
                      public long scratchBytes(int rows, int parallelism) {
                        return right.scratchBytes(rows, parallelism);
                      }

                      @Override
                      public void apply(F32Matrix gate, F32Matrix up, F32Matrix y, Workspace w) {
                        right.apply(gate, up, y, w);
                        see("/swiglu:");
                      }
                    });
          }

          private void see(String operator) {
            calls.incrementAndGet();
            try {
              others.addAndGet(Files.readString(file).contains(operator) ? 0 : 1);
            } catch (IOException e) {
              throw new UncheckedIOException(e);
            }
          }
        };
    Settings settings = new Settings(50, 1, Optional.empty(), Optional.of(file));
    together(
        List.of(
            () -> run(watching, settings, Set.of("rmsnorm"), Set.of("N1")),
            () -> run(watching, settings, Set.of("swiglu"), Set.of("S1"))));
    assertTrue(calls.get() > 50, "calls: " + calls);
    assertEquals(0, others.get(), "calls that saw another's case");
  }

  /// P13 asks whether a call starts a thread, and the JVM counts those of all.
  @Test
  void threadsOfOthersAreNotTheKernels() throws Exception {
    AtomicBoolean end = new AtomicBoolean();
    Thread others =
        Thread.ofPlatform()
            .start(() -> {
              while (!end.get()) {
                try {
                  Thread.ofPlatform().start(() -> {}).join();
                } catch (InterruptedException e) {
                  return;
                }
              }
            });
    try {
      List<CellResult> cells =
          run(
              new ScalarProvider(),
              new Settings(20, 1, Optional.empty()),
              Set.of("rmsnorm", "swiglu", "attention"),
              Set.of("P13"));
      assertEquals(
          List.of(),
          cells.stream().flatMap(c -> c.firstFailure().stream()).map(Failure::message).toList());
    } finally {
      end.set(true);
      others.join();
    }
  }
}

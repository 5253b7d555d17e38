package dev.quern;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.checked.CheckedRmsNorm;
import dev.quern.checked.Site;
import dev.quern.data.F32Matrix;
import dev.quern.data.Task;
import dev.quern.data.Workers;
import dev.quern.data.Workspace;
import dev.quern.op.RmsNormKernel;
import dev.quern.op.RmsNormSpec;
import dev.quern.spi.Variant;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/// Whose fault it is when a kernel fails; for `pack`, see [CheckedLinearTest].
class ProviderExceptionTest {
  private final Arena arena = Arena.ofAuto();

  private interface Body {
    void run(Workspace w) throws Exception;
  }

  @Test
  void theProviderIsBlamedByName() {
    IllegalStateException thrown = new IllegalStateException("no luck\n\u001b[31m");
    ProviderException e =
        assertThrows(
            ProviderException.class,
            () ->
                call(_ -> {
                  throw thrown;
                }));
    assertSame(thrown, e.getCause());
    assertEquals(
        "rmsnorm: apply threw java.lang.IllegalStateException: no luck \\u001b[31m"
            + " (spec RmsNormSpec[width=8, epsilon=0.0, groups=1], provider bad/plain); this is a defect of"
            + " the provider: report it to its author, and run without it until then"
            + " (quern.provider)",
        e.getMessage());
  }

  @Test
  void alsoForErrorsThatAreNotTheJvms() {
    for (Throwable t :
        List.of(
            new AssertionError("x"),
            new NoClassDefFoundError("a/B"),
            new StackOverflowError(),
            new java.io.IOException("checked"))) {
      ProviderException e =
          assertThrows(ProviderException.class, () -> call(_ -> Fail.sneaky(t)), t.toString());
      assertSame(t, e.getCause());
    }
  }

  @Test
  void fromATaskToo() {
    IllegalStateException thrown = new IllegalStateException("in a task");
    ProviderException e =
        assertThrows(
            ProviderException.class,
            () ->
                call(w ->
                    w.workers()
                        .run(
                            1,
                            (_, _) -> {
                              throw thrown;
                            })));
    assertSame(thrown, e.getCause());
  }

  @Test
  void errorsOfTheJvmPass() {
    for (Error error : List.of(new OutOfMemoryError("heap"), new InternalError("a fault"))) {
      assertSame(error, assertThrows(Error.class, () -> call(_ -> Fail.sneaky(error))));
    }
  }

  /// A pool that was shut down, and not the kernel that asked it.
  @Test
  void whatTheCallersWorkersThrowPasses() {
    assertThrows(
        RejectedExecutionException.class,
        () -> call(w -> w.workers().run(1, (_, _) -> {}), new ClosedWorkers()));
  }

  @Test
  void memoryThatIsClosedDuringACallIsNotTheProvidersFault() {
    Arena closed = Arena.ofShared();
    F32Matrix y = matrix(closed);
    IllegalStateException e =
        assertThrows(
            IllegalStateException.class,
            () ->
                kernel(
                        _ -> {
                          closed.close();
                          y.data().get(java.lang.foreign.ValueLayout.JAVA_BYTE, 0);
                        })
                    .apply(matrix(arena), matrix(arena), y, workspace(Workers.sequential())));
    assertEquals("Already closed", e.getMessage());
  }

  @Test
  void scratchBytesToo() {
    RmsNormKernel kernel =
        checked(
            new RmsNormKernel() {
              @Override
              public long scratchBytes(int rows, int parallelism) {
                throw new ArithmeticException("overflow");
              }

              @Override
              public void apply(F32Matrix x, F32Matrix weight, F32Matrix y, Workspace w) {}
            });
    ProviderException e = assertThrows(ProviderException.class, () -> kernel.scratchBytes(1, 1));
    assertTrue(e.getMessage().contains("scratchBytes threw java.lang.ArithmeticException"));
  }

  private void call(Body body) {
    call(body, Workers.sequential());
  }

  private void call(Body body, Workers workers) {
    kernel(body).apply(matrix(arena), matrix(arena), matrix(arena), workspace(workers));
  }

  private Workspace workspace(Workers workers) {
    return new Workspace(arena.allocate(64, 64), workers);
  }

  private static F32Matrix matrix(Arena arena) {
    return new F32Matrix(arena.allocate(32, 4), 1, 8, 8);
  }

  private static RmsNormKernel kernel(Body body) {
    return checked(
        (Fakes.Rms)
            (_, _, _, w) -> {
              try {
                body.run(w);
              } catch (Exception e) {
                Fail.sneaky(e);
              }
            });
  }

  private static RmsNormKernel checked(RmsNormKernel kernel) {
    RmsNormSpec spec = RmsNormSpec.of(8, 0);
    Variant variant = Fakes.Scalar.VARIANT;
    return new CheckedRmsNorm(
        kernel,
        spec,
        new Site(
            "rmsnorm",
            spec.toString(),
            "bad",
            List.of(variant),
            new AtomicBoolean(),
            ProviderException::new));
  }

  private static final class ClosedWorkers implements Workers {
    @Override
    public int parallelism() {
      return 1;
    }

    @Override
    public void run(int tasks, Task body) {
      throw new RejectedExecutionException("shut down");
    }
  }

  private static final class Fail {
    @SuppressWarnings("unchecked")
    static <E extends Throwable> void sneaky(Throwable t) throws E {
      throw (E) t;
    }
  }
}

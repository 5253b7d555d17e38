package dev.quern.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.conformance.CompiledCheck.Result;
import dev.quern.conformance.judge.Outcome;
import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;
import dev.quern.op.Activation;
import dev.quern.op.Numerics;
import dev.quern.op.SwiGluKernel;
import dev.quern.op.SwiGluSpec;
import dev.quern.spi.Availability;
import dev.quern.spi.KernelProvider;
import dev.quern.spi.KernelSet;
import dev.quern.spi.Offer;
import dev.quern.spi.Platform;
import dev.quern.spi.Spec;
import dev.quern.spi.Variant;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import javax.management.ObjectName;
import org.junit.jupiter.api.Test;

class CompiledCheckTest {
  private static final int FIRST_BATCH_ROWS = 4;

  /// SwiGLU in two variants, of which one may turn wrong after some calls, as a kernel does that C2
  /// compiles wrongly.
  private record Glu(SwiGluSpec spec, int wrongFromCall, AtomicInteger batchCalls)
      implements SwiGluKernel {
    @Override
    public long scratchBytes(int rows, int parallelism) {
      return 0;
    }

    @Override
    public void apply(F32Matrix gate, F32Matrix up, F32Matrix y, Workspace w) {
      boolean batch = gate.rows() >= FIRST_BATCH_ROWS;
      double factor = batch && batchCalls.incrementAndGet() > wrongFromCall ? 1.001 : 1;
      if (wrongFromCall < 0) {
        throw new IllegalStateException("broken");
      }
      for (int r = 0; r < gate.rows(); r++) {
        row(gate, up, y, r, factor);
      }
    }

    private static void row(F32Matrix gate, F32Matrix up, F32Matrix y, int r, double factor) {
      for (int c = 0; c < gate.columns(); c++) {
        double g = gate.get(r, c);
        y.set(r, c, (float) (g / (1 + Math.exp(-g)) * up.get(r, c) * factor));
      }
    }
  }

  private record Provider(int wrongFromCall) implements KernelProvider, KernelSet {
    @Override
    public String name() {
      return "late";
    }

    @Override
    public int priority() {
      return 1;
    }

    @Override
    public int specVersion() {
      return Spec.VERSION;
    }

    @Override
    public Availability open(Platform platform) {
      return new Availability.Ready(this, "");
    }

    @Override
    public Offer<SwiGluKernel> swiGlu(SwiGluSpec spec) {
      if (spec.activation() != Activation.SILU) {
        return Offer.declined("SiLU only");
      }
      return new Offer.Accepted<>(
          new Glu(spec, wrongFromCall, new AtomicInteger()),
          List.of(
              new Variant("row", 1, Numerics.EXACT_F32),
              new Variant("batch", FIRST_BATCH_ROWS, Numerics.EXACT_F32)));
    }
  }

  /// 9,000 calls are more than C2 waits for, and fewer than the check makes.
  @Test
  void aVariantThatTurnsWrongWhenHotIsFound() {
    Target target = Target.here(new Provider(9_000));
    List<Result> told = new ArrayList<>();
    List<Result> results = CompiledCheck.run(target, told::add);
    assertEquals(told, results);
    assertEquals(List.of("row", "batch"), results.stream().map(r -> r.variant().name()).toList());
    assertTrue(results.get(0).passed(), results.toString());
    assertFalse(results.get(1).passed(), results.toString());
    assertEquals(SwiGluSpec.of(1).getClass(), results.get(1).spec().getClass());
    Outcome.Fail fail = (Outcome.Fail) results.get(1).outcome();
    assertTrue(fail.where().startsWith("y["), fail.toString());

    // The suite's own look at the same case sees nothing, since it calls the kernel but a few
    // times.
    Settings replay = new Settings(1, 1, java.util.Optional.of(results.get(1).replay()));
    SuiteResult suite = Suite.run(target, replay, Selection.all(), _ -> {});
    assertEquals(0, suite.cells().stream().mapToInt(CellResult::failures).sum(), suite.toString());
    assertEquals(1, suite.cells().stream().mapToInt(CellResult::passes).sum(), suite.toString());
  }

  /// What the number of calls is for.
  @Test
  void whatWasCheckedIsWhatC2Compiled() throws Exception {
    List<Result> results = CompiledCheck.run(Target.here(new Provider(Integer.MAX_VALUE)), _ -> {});
    assertTrue(results.stream().allMatch(Result::passed), results.toString());
    String code =
        (String)
            ManagementFactory.getPlatformMBeanServer()
                .invoke(
                    new ObjectName("com.sun.management:type=DiagnosticCommand"),
                    "compilerCodelist",
                    new Object[0],
                    new String[0]);
    // <compile id> <level> <state> <method>, state 0 being in use
    for (String method : List.of("Glu.apply(", "Glu.row(")) {
      assertTrue(
          code.lines().anyMatch(l -> l.contains(method) && l.matches("\\d+ +4 +0 .*")),
          () -> code.lines().filter(l -> l.contains("Glu.")).toList().toString());
    }
  }

  @Test
  void aKernelThatThrowsIsWrong() {
    List<Result> results = CompiledCheck.run(Target.here(new Provider(-1)), _ -> {});
    assertEquals(2, results.size());
    for (Result r : results) {
      assertTrue(((Outcome.Fail) r.outcome()).actual().contains("broken"), r.toString());
    }
  }
}

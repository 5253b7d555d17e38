package dev.quern.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import dev.quern.KernelOptions;
import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;
import dev.quern.op.SwiGluKernel;
import dev.quern.op.SwiGluSpec;
import dev.quern.provider.scalar.ScalarProvider;
import dev.quern.spi.KernelProvider;
import dev.quern.spi.Offer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DeepRunTest {
  private static final Selection SWIGLU =
      new Selection(Set.of("swiglu"), Set.of(), Set.of("S1", "S2", "S3", "P5", "support"));
  private static final Duration LONG = Duration.ofHours(1);

  @TempDir Path folder;

  /// As if the process were killed at that moment.
  private static final class Killed extends RuntimeException {
    private static final long serialVersionUID = 1;
  }

  /// Kills the run after some steps, and keeps what it heard.
  private static final class Watched implements DeepRun.Watcher {
    final List<CellResult> cells = new ArrayList<>();
    final List<Failure> failures = new ArrayList<>();
    final int most;
    int saved;

    Watched(int most) {
      this.most = most;
    }

    @Override
    public void progress(CellResult cell) {
      cells.add(cell);
      if (tests().size() >= most) {
        throw new Killed();
      }
    }

    @Override
    public void failed(Failure failure) {
      failures.add(failure);
    }

    @Override
    public void saved() {
      saved++;
    }

    List<String> tests() {
      return cells.stream().map(CellResult::testName).distinct().toList();
    }
  }

  private DeepRun open(KernelProvider provider, Duration limit, int tries, String binary)
      throws IOException {
    return DeepRun.open(
        new Target(
            provider,
            KernelOptions.fromSystem().providersPlatform(),
            Support.of(new ScalarProvider())),
        new Settings(tries, 1, Optional.empty()),
        SWIGLU,
        List.of(new ModelKernel("m", SwiGluSpec.of(48), List.of(), 9)),
        limit,
        folder.resolve("state"),
        binary);
  }

  private DeepRun open(KernelProvider provider, Duration limit) throws IOException {
    return open(provider, limit, 3, "1");
  }

  /// Wrong in most cases, by S1 and P5.
  private static KernelProvider wrong() {
    return new WrappedProvider() {
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
                    y.set(0, 0, y.get(0, 0) + 1);
                  }
                });
      }
    };
  }

  private static Map<String, Integer> passes(List<CellResult> cells) {
    return cells.stream()
        .collect(
            Collectors.toMap(c -> c.title() + c.shapeClass(), CellResult::passes, Integer::sum));
  }

  @Test
  void aRunThatWasKilledGoesOnWhereItWas() throws IOException {
    DeepRun first = open(wrong(), LONG); // S1 fails, so that the file is written at once
    Watched killed = new Watched(3);
    assertThrows(Killed.class, () -> first.run(killed));
    DeepRun second = open(wrong(), LONG);
    List<String> kept =
        second.result().cells().stream().map(CellResult::testName).distinct().toList();
    assertTrue(kept.contains("S1_exact"), kept.toString());
    assertEquals(second.coverage().lines(), open(wrong(), LONG).coverage().lines());
    Watched goesOn = new Watched(3);
    assertThrows(Killed.class, () -> second.run(goesOn));
    assertFalse(goesOn.tests().contains("S1_exact"), "done: " + goesOn.tests());
    assertTrue(second.seconds() > 0);
  }

  /// A run over more than one round. How long a round takes is the machine's affair: the run goes
  /// on for twice as long until it is in its second one, and for two minutes at most.
  private DeepRun rounds(KernelProvider provider, Watched watched) throws IOException {
    for (int seconds = 1; seconds <= 128; seconds *= 2) {
      DeepRun run = open(provider, Duration.ofSeconds(seconds));
      run.run(watched);
      if (run.round() > 1) {
        return run;
      }
    }
    return fail("no second round");
  }

  @Test
  void roundsHaveSeedsOfTheirOwnAndAreCountedTogether() throws IOException {
    Watched watched = new Watched(Integer.MAX_VALUE);
    DeepRun run = rounds(new ScalarProvider(), watched);
    assertTrue(watched.saved > 0);
    assertEquals(passes(watched.cells), passes(run.result().cells()));
    assertTrue(run.result().green());
    assertEquals(1, run.result().models().size());
    Function<DeepRun, Object> reached =
        r -> r.coverage().table((operator, size) -> OptionalLong.empty());
    DeepRun over = open(new ScalarProvider(), Duration.ofSeconds(1));
    over.run(new Watched(1)); // nothing is left to do
    assertEquals(run.result().cells(), over.result().cells());
    assertEquals(run.result().models(), over.result().models());
    assertEquals(reached.apply(run), reached.apply(over));
    assertEquals(run.nanos(), over.nanos());
  }

  @Test
  void aFailureIsToldOnceAndAllElseGoesOn() throws IOException {
    Watched watched = new Watched(Integer.MAX_VALUE);
    DeepRun run = rounds(wrong(), watched);
    List<String> told = watched.failures.stream().map(f -> f.rule() + f.subject()).toList();
    List<String> byCheck =
        watched.failures.stream().map(f -> f.replay().split("/")[0] + f.subject()).toList();
    assertEquals(byCheck.stream().distinct().toList(), byCheck);
    assertTrue(told.contains("S1F32"), told.toString());
    assertTrue(watched.tests().contains("S3_non_finite"), "after S1, which failed");
    DeepRun again = open(wrong(), Duration.ofSeconds(1));
    assertEquals(
        run.result().cells().stream()
            .flatMap(c -> c.firstFailure().stream())
            .map(Failure::message)
            .toList(),
        again.result().cells().stream()
            .flatMap(c -> c.firstFailure().stream())
            .map(Failure::message)
            .toList());
  }

  @Test
  void theFileOfAnotherRunIsRefusedAndKept() throws IOException {
    open(new ScalarProvider(), Duration.ofMillis(300)).run(new Watched(Integer.MAX_VALUE));
    byte[] before = Files.readAllBytes(folder.resolve("state"));
    for (var other :
        List.<List<Object>>of(
            List.of(wrong(), 3, "1"),
            List.of(new ScalarProvider(), 4, "1"),
            List.of(new ScalarProvider(), 3, "2"))) {
      DeepException e =
          assertThrows(
              DeepException.class,
              () ->
                  open(
                      (KernelProvider) other.get(0),
                      LONG,
                      (Integer) other.get(1),
                      (String) other.get(2)));
      assertTrue(e.getMessage().contains("is the state of another run"), e.getMessage());
      assertEquals(1, e.getMessage().lines().count());
    }
    String text = Files.readString(folder.resolve("state"));
    for (String damaged :
        List.of("", "{}", text.replaceAll("cell\tS1.*", "cell\tS1"), text + "nonsense\n")) {
      Files.writeString(folder.resolve("state"), damaged);
      DeepException e = assertThrows(DeepException.class, () -> open(new ScalarProvider(), LONG));
      assertTrue(e.getMessage().contains("is no state of a deep run"), e.getMessage());
    }
    Files.write(folder.resolve("state"), before);
    open(new ScalarProvider(), LONG);
  }
}

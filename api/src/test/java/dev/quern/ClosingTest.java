package dev.quern;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.data.BlockFormat;
import dev.quern.data.F32Matrix;
import dev.quern.data.Workers;
import dev.quern.data.Workspace;
import dev.quern.discovery.Guard;
import dev.quern.op.LinearPacker;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.op.RmsNormKernel;
import dev.quern.op.RmsNormSpec;
import dev.quern.spi.Availability;
import dev.quern.spi.KernelProvider;
import dev.quern.spi.KernelSet;
import dev.quern.spi.Offer;
import dev.quern.spi.Platform;
import dev.quern.spi.Spec;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Who closes what providers opened (SPEC.md, P22).
class ClosingTest {
  private static final RmsNormSpec NORM = RmsNormSpec.of(4, 0);

  @TempDir Path folder;

  /// What was opened and closed: the CPU features of the platform.
  private static final Queue<String> LOG = new ConcurrentLinkedQueue<>();

  private static volatile CountDownLatch mayAnswer;
  private static volatile CountDownLatch closedLate;

  @BeforeEach
  void forget() {
    LOG.clear();
  }

  /// Notes what becomes of its sets.
  public static class Noting implements KernelProvider {
    @Override
    public String name() {
      return "noting";
    }

    @Override
    public int priority() {
      return 7;
    }

    @Override
    public int specVersion() {
      return Spec.VERSION;
    }

    @Override
    public Availability open(Platform platform) {
      String features = String.join(" ", platform.cpuFeatures().stream().sorted().toList());
      LOG.add("open " + features);
      return new Availability.Ready(new Noted(features), "");
    }
  }

  private record Noted(String features) implements KernelSet {
    @Override
    public Offer<LinearPacker> linear(LinearSpec spec) {
      return Offer.accepted((_, _, _) -> new Fakes.NoOp(0, false), Fakes.Scalar.VARIANT);
    }

    @Override
    public Offer<RmsNormKernel> rmsNorm(RmsNormSpec spec) {
      LOG.add("asked " + features);
      return Offer.accepted((RmsNormKernel) (Fakes.Rms) (_, _, _, _) -> {}, Fakes.Scalar.VARIANT);
    }

    @Override
    public void close() {
      LOG.add("close " + features);
    }
  }

  /// Answers when nobody waits any more.
  public static final class Late extends Noting {
    @Override
    public Availability open(Platform platform) {
      boolean let = false;
      while (!let) {
        try {
          let = mayAnswer.await(1, TimeUnit.MINUTES);
        } catch (InterruptedException _) { // goes on all the same
          let = false;
        }
      }
      return new Availability.Ready(
          new KernelSet() {
            @Override
            public void close() {
              closedLate.countDown();
            }
          },
          "");
    }
  }

  /// Can't be closed.
  public static final class Sticky extends Fakes.Base {
    public Sticky() {
      super("sticky", 8);
    }

    @Override
    public void close() {
      throw new IllegalStateException("not me");
    }
  }

  /// Never comes back from being closed.
  public static final class Stuck extends Fakes.Base {
    public Stuck() {
      super("stuck", 9);
    }

    @Override
    public void close() {
      while (true) {
        LockSupport.park();
      }
    }
  }

  private KernelOptions options(Class<?>... providers) throws IOException {
    return Fakes.options(folder, providers);
  }

  @Test
  void kernelsCloseWhatTheyOpenedOnce() throws IOException {
    Kernels kernels = Kernels.load(options(Noting.class));
    kernels.close();
    kernels.close();
    assertEquals(List.of("open dotprod i8mm", "close dotprod i8mm"), List.copyOf(LOG));
    assertEquals("noting", kernels.report().providers().getFirst().name());
  }

  @Test
  void aCatalogClosesWhatItOpened() throws IOException {
    try (Catalog catalog = Catalog.scan(options(Noting.class, Fakes.Amx.class))) {
      assertTrue(catalog.ready("noting").isPresent());
      assertTrue(catalog.ready("amx").isEmpty());
    }
    assertEquals(List.of("open dotprod i8mm", "close dotprod i8mm"), List.copyOf(LOG));
  }

  @Test
  void aSelectionThatFailsLeavesNothingOpen() throws IOException {
    KernelOptions absent = options(Noting.class).withProvider("absent");
    assertThrows(SelectionException.class, () -> Kernels.load(absent));
    assertEquals(List.of("open dotprod i8mm", "close dotprod i8mm"), List.copyOf(LOG));
  }

  @Test
  void twoPlatformsAreOpenAtOnce() throws IOException {
    KernelOptions all = options(Noting.class);
    try (Kernels best = Kernels.load(all);
        Kernels masked = Kernels.load(all.with("quern.cpu.mask", "-i8mm"))) {
      best.rmsNorm(NORM);
      masked.rmsNorm(NORM);
    }
    assertEquals(
        List.of(
            "open dotprod i8mm",
            "open dotprod",
            "asked dotprod i8mm",
            "asked dotprod",
            "close dotprod",
            "close dotprod i8mm"),
        List.copyOf(LOG));
  }

  @Test
  void whatWasTakenIsNotToBeUsedAfter() throws IOException {
    LinearSpec spec = new LinearSpec(BlockFormat.F32, 4, 4, false, Set.of(Numerics.EXACT_F32));
    Kernels kernels = Kernels.load(options(Noting.class));
    RmsNormKernel norm = kernels.rmsNorm(NORM);
    LinearPacker packer = kernels.linear(spec);
    kernels.close();
    try (Arena arena = Arena.ofShared()) {
      F32Matrix x = F32Matrix.allocate(arena, 1, 4);
      Workspace w = new Workspace(arena.allocate(0, 64), Workers.sequential());
      closed(() -> norm.apply(x, x, x, w));
      closed(() -> packer.pack(List.of(), arena, Workers.sequential()));
    }
    closed(() -> norm.scratchBytes(1, 1));
    closed(() -> kernels.rmsNorm(NORM));
  }

  private static void closed(Runnable call) {
    String message = assertThrows(IllegalStateException.class, call::run).getMessage();
    assertTrue(message.contains("are closed"), message);
  }

  @Test
  void aSetThatComesTooLateIsClosed() throws Exception {
    mayAnswer = new CountDownLatch(1);
    closedLate = new CountDownLatch(1);
    try (Catalog catalog = Catalog.scan(options(Late.class), new Guard(Duration.ofMillis(300)))) {
      String verdict = catalog.entries().getFirst().verdict().text();
      assertTrue(verdict.contains("open(platform) gave no answer"), verdict);
      mayAnswer.countDown();
      assertTrue(closedLate.await(1, TimeUnit.MINUTES));
    }
  }

  @Test
  void aProviderThatCantBeClosedIsAWarning() throws IOException {
    Kernels kernels = Kernels.load(options(Sticky.class, Noting.class));
    assertEquals(
        List.of(
            "WARNING provider sticky: close() threw java.lang.IllegalStateException: not me (P22)"),
        Fakes.logged(kernels::close));
    assertTrue(LOG.contains("close dotprod i8mm"), "the others are closed");
  }

  @Test
  void aProviderThatNeverClosesIsNotWaitedFor() throws IOException {
    Kernels kernels =
        Kernels.load(options(Stuck.class, Noting.class), new Guard(Duration.ofMillis(300)));
    assertEquals(
        List.of(
            "WARNING provider stuck: close() gave no answer within 0.300 s; its thread is left"
                + " behind (P22)"),
        Fakes.logged(kernels::close));
    assertTrue(LOG.contains("close dotprod i8mm"), "the others are closed");
  }
}

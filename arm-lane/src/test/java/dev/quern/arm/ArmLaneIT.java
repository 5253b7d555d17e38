package dev.quern.arm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import dev.quern.testing.LeftOut;
import dev.quern.testing.LeftOut.Asked;
import dev.quern.testing.Nmse;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/// The Arm lane: tests of kernels in arm64 JVMs, one for each row of [ArmRow], under emulation on
/// x86-64 Linux and directly on Arm machines.
///
/// As many rows run at a time as there are cores. Each test of a row is a test here; what a row
/// prints is in `target/arm/ROW/output.txt`. Where arm64 code can't be run, everything is left out
/// with a reason, unless `-Dquern.arm.required=true`. Under emulation a plain build runs two rows
/// and says so; `-Dquern.full=true` runs one of each set of kernels, `-Dquern.exhaustive=true` all,
/// and `-Dquern.arm.rows=cortex-a76,max` those whose names hold one of these words.
class ArmLaneIT {
  /// After which a row hangs; 100 loads of a model (`LifecycleRowTest`) have a minute of their own.
  private static final int ROW_MINUTES = 30 + Integer.getInteger("quern.arm.loads", 0) / 100;

  /// What a plain build under emulation has time for: a CPU with kernels, and one without.
  private static final String FEW = "max-sme2-64-sid,cortex-a72-sid";

  /// With `-Dquern.full=true`: each kernel of the current library once, and the vector provider on
  /// NEON.
  private static final String EACH_KERNEL =
      "neoverse-n2-no-sve-sid,max-sme2-16-sid,max-sme-sid,neoverse-v1-sid,cortex-a76,cortex-a72-sid";

  private static final Path TARGET = Path.of(System.getProperty("quern.arm.target"));
  private static final Path SCRIPT = Path.of(System.getProperty("quern.arm.sysroot"));

  /// Properties of this JVM that the rows' get too.
  private static final List<String> PASSED_ON =
      List.of(
          "quern.shared",
          "quern.shared.required",
          "quern.selfcheck.file",
          "quern.arm.loads",
          "quern.conformance.tries",
          "quern.conformance.seed",
          "quern.conformance.patience",
          "java.util.logging.config.file");

  private static final Map<ArmRow, Future<List<RowResult>>> running = new LinkedHashMap<>();
  private static ExecutorService threads;

  @BeforeAll
  static void startAll() throws IOException, InterruptedException {
    LaneHost host;
    try {
      host = LaneHost.find(SCRIPT);
    } catch (LaneHost.UnavailableException e) {
      notRun(e.getMessage());
      return;
    }
    threads = Executors.newFixedThreadPool(Runtime.getRuntime().availableProcessors());
    for (ArmRow row : rows(host)) {
      running.put(row, threads.submit(() -> run(host, row)));
    }
  }

  @AfterAll
  static void stopAll() {
    if (threads != null) {
      threads.shutdownNow();
    }
  }

  /// Every test of every row, in the order in which the rows were started.
  @TestFactory
  Stream<DynamicContainer> rows() {
    return running.entrySet().stream()
        .map(e ->
            DynamicContainer.dynamicContainer(
                e.getKey().name(), Stream.of(e).flatMap(r -> tests(r.getKey(), r.getValue()))));
  }

  /// In one version of the library, kernels of equal arithmetic give equal bits, whatever the CPU:
  /// so do models, on the rows that run them.
  @TestFactory
  Stream<DynamicTest> modelsSayTheSameOnEveryCpu() {
    List<ArmRow> rows = withModels();
    return rows.stream()
        .skip(1)
        .flatMap(row ->
            Stream.of(ModelRuns.values())
                .filter(ModelRuns::sameBits)
                .map(model ->
                    DynamicTest.dynamicTest(
                        String.format(
                            Locale.ROOT,
                            "%s: %s and %s",
                            model.id(),
                            rows.getFirst().name(),
                            row.name()),
                        () ->
                            assertSame(model, runOf(rows.getFirst(), model), runOf(row, model)))));
  }

  /// Against exact arithmetic on this machine, on the same rounded weights.
  @TestFactory
  Stream<DynamicTest> modelsAgreeWithExactArithmetic() {
    return Stream.of(ModelRuns.values())
        .flatMap(model -> withModels().stream().map(row -> agreement(model, row)));
  }

  private static DynamicTest agreement(ModelRuns model, ArmRow row) {
    return DynamicTest.dynamicTest(
        model.id() + ": " + row.name(),
        () -> {
          ModelRuns.Run exact = model.exactly(Files.createDirectories(TARGET.resolve("exact")));
          ModelRuns.Run actual = runOf(row, model);
          assertEquals(exact.logits().size(), actual.logits().size());
          double worst = 0;
          for (int i = 0; i < exact.logits().size(); i++) {
            worst = Math.max(worst, Nmse.of(actual.logits().get(i), exact.logits().get(i)));
          }
          System.out.printf(
              Locale.ROOT,
              "[quern] arm: %s on %s: NMSE of logits at most %.1e%n",
              model.id(),
              row.name(),
              worst);
          assertTrue(
              worst < model.nmse(),
              String.format(Locale.ROOT, "NMSE %g, expected < %g", worst, model.nmse()));
        });
  }

  private static List<ArmRow> withModels() {
    return running.keySet().stream().filter(r -> r.tags().contains("arm-models")).toList();
  }

  /// What a row wrote, once it has ended.
  private static ModelRuns.Run runOf(ArmRow row, ModelRuns model)
      throws InterruptedException, ExecutionException, IOException {
    running.get(row).get();
    return ModelRuns.Run.read(TARGET.resolve(row.name()), model.id());
  }

  private static void assertSame(ModelRuns model, ModelRuns.Run expected, ModelRuns.Run actual) {
    assertEquals(expected.text(), actual.text());
    assertEquals(expected.logits().size(), actual.logits().size());
    for (int i = 0; i < expected.logits().size(); i++) {
      assertArrayEquals(
          bits(expected.logits().get(i)),
          bits(actual.logits().get(i)),
          String.format(Locale.ROOT, "%s: bits of the logits after token %d", model.id(), i));
    }
  }

  private static int[] bits(float[] values) {
    int[] bits = new int[values.length];
    for (int i = 0; i < bits.length; i++) {
      bits[i] = Float.floatToRawIntBits(values[i]);
    }
    return bits;
  }

  /// Waits for a row, once its turn has come.
  private static Stream<DynamicTest> tests(ArmRow row, Future<List<RowResult>> results) {
    try {
      return results.get().stream()
          .map(r ->
              DynamicTest.dynamicTest(
                  String.format(Locale.ROOT, "%s: %s.%s", row.name(), r.className(), r.name()),
                  () -> report(r)));
    } catch (ExecutionException e) {
      return Stream.of(
          DynamicTest.dynamicTest(
              row.name(),
              () -> {
                throw e.getCause();
              }));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  private static void report(RowResult result) {
    switch (result.status()) {
      case PASSED -> {}
      case SKIPPED -> Assumptions.abort(result.reason());
      case FAILED, BEGUN -> fail(result.reason());
    }
  }

  private static List<ArmRow> rows(LaneHost host) {
    if (!host.emulated()) {
      return List.of(ArmRow.onThisMachine());
    }
    String named = System.getProperty("quern.arm.rows");
    if (named != null) {
      return rows(named);
    }
    List<ArmRow> some = rows(Asked.FULL.yes() ? EACH_KERNEL : FEW);
    return LeftOut.some(ArmLaneIT.class, Asked.EXHAUSTIVE, "rows", ArmRow.ALL, some);
  }

  private static List<ArmRow> rows(String named) {
    List<String> words = List.of(named.split(","));
    return ArmRow.ALL.stream()
        .filter(row -> words.stream().anyMatch(row.name()::contains))
        .toList();
  }

  private static List<RowResult> run(LaneHost host, ArmRow row)
      throws IOException, InterruptedException {
    Path folder = Files.createDirectories(TARGET.resolve(row.name()));
    Path results = folder.resolve("results.tsv");
    Path output = folder.resolve("output.txt");
    Files.deleteIfExists(results);
    Map<String, String> properties = new LinkedHashMap<>();
    for (String name : PASSED_ON) {
      if (System.getProperty(name) != null) {
        properties.put(name, System.getProperty(name));
      }
    }
    properties.put("quern.arm.out", folder.toString());
    properties.putIfAbsent("quern.conformance.tries", Integer.toString(row.tries()));
    properties.putIfAbsent("quern.conformance.patience", "20"); // the emulator is ten times slower
    long start = System.nanoTime();
    Process process =
        host.process(row, results, properties)
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    String end;
    try {
      end =
          process.waitFor(ROW_MINUTES, TimeUnit.MINUTES)
              ? String.format(Locale.ROOT, "exit status %d", process.exitValue())
              : String.format(Locale.ROOT, "no end after %d minutes", ROW_MINUTES);
    } finally {
      process.destroyForcibly();
    }
    long seconds = (System.nanoTime() - start) / 1_000_000_000;
    List<RowResult> all = new ArrayList<>(RowResult.read(results, end));
    if (!end.equals("exit status 0") || all.isEmpty()) {
      all.add(
          new RowResult(
              RowResult.Status.FAILED,
              0,
              "the row's JVM",
              row.name(),
              String.format(
                  Locale.ROOT,
                  "%s, %d results; see %s:%n%s",
                  end,
                  all.size(),
                  output,
                  tail(output, 20))));
    }
    System.out.printf(
        Locale.ROOT, "[quern] arm: %s: %s, %d s, %s%n", row, counts(all), seconds, tail(output, 1));
    return all;
  }

  private static String counts(List<RowResult> results) {
    Map<RowResult.Status, Integer> counts = new LinkedHashMap<>();
    for (RowResult result : results) {
      counts.merge(result.status(), 1, Integer::sum);
    }
    return counts.toString();
  }

  private static String tail(Path output, int count) throws IOException {
    List<String> lines = Files.readAllLines(output);
    return String.join("\n", lines.subList(Math.max(0, lines.size() - count), lines.size()));
  }

  /// Loud, since a green build without it would say more than was tested.
  private static void notRun(String reason) {
    String rule = "!".repeat(100);
    System.out.printf(
        Locale.ROOT,
        "%n%s%n!! THE ARM LANE WAS NOT RUN: no kernel was tested on an Arm CPU.%n!! %s%n%s%n%n",
        rule,
        reason,
        rule);
    if (Boolean.getBoolean("quern.arm.required")) {
      fail("the Arm lane can't run, and -Dquern.arm.required=true asks for it: " + reason);
    }
    Assumptions.abort("the Arm lane was not run: " + reason);
  }
}

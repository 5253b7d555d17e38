package dev.quern;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.data.BlockFormat;
import dev.quern.files.OutputException;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.op.RmsNormSpec;
import dev.quern.platform.CpuFeatures;
import dev.quern.spi.Jit;
import dev.quern.spi.Platform;
import dev.quern.spi.Variant;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SelfcheckTest {
  private static final Variant GEMM = new Variant("gemm", 4, Numerics.EXACT_F32);

  @TempDir Path folder;

  @Test
  void aVariantThatWasWrongIsDeclinedWithItsOffer() throws IOException {
    KernelOptions options = options();
    record(options, "gemm");
    Kernels kernels = Kernels.load(options);
    List<String> logged =
        Fakes.logged(() -> {
          kernels.linear(linear(BlockFormat.F32, 8));
          kernels.linear(linear(BlockFormat.F32, 16));
          kernels.linear(linear(BlockFormat.Q8_0, 8));
        });
    List<Choice> choices = kernels.report().choices();
    assertEquals(
        List.of("scalar", "scalar", "vector"), choices.stream().map(Choice::provider).toList());
    String reason = choices.getFirst().refusals().getFirst().reason();
    for (String part :
        List.of("gemm", "F32", "y[0][1]", folder.resolve("results").toString(), "--clear")) {
      assertTrue(reason.contains(part), reason);
    }
    assertTrue(kernels.report().text().contains("not vector: " + reason), "explain shows it");
    assertEquals(1, logged.size(), logged.toString());
    assertTrue(
        logged.getFirst().startsWith("WARNING provider vector: selfcheck"), logged.getFirst());
    assertTrue(logged.getFirst().endsWith("; scalar runs linear"), logged.getFirst());
  }

  @Test
  void aPromiseThatCanNotBeKeptIsAnError() throws IOException {
    KernelOptions options = options().withProvider("vector");
    record(options, "gemv");
    Kernels kernels = Kernels.load(options);
    SelectionException e =
        assertThrows(SelectionException.class, () -> kernels.linear(linear(BlockFormat.F32, 8)));
    assertTrue(e.getMessage().contains("selfcheck found variant gemv wrong"), e.getMessage());
  }

  /// The failure holds where everything is as it was.
  @ParameterizedTest
  @CsvSource({
    "gemm, vector, F32, same, vector/scalar",
    "other, vector, F32, same, scalar",
    "gemm, kleidi, F32, same, scalar",
    "gemm, vector, Q4_0, same, scalar",
    "gemm, vector, F32, jdk, scalar",
    "gemm, vector, F32, cpu, scalar",
    "gemm, vector, F32, jar, scalar",
  })
  void onlyTheSameVariantOnTheSameMachineIsDeclined(
      String variant, String provider, String subject, String changed, String expected)
      throws IOException {
    KernelOptions options = options();
    SelfcheckFailure f = failure(options, "gemm");
    SelfcheckFile.write(
        Selfcheck.file(options),
        List.of(
            new SelfcheckFailure(
                provider,
                f.operator(),
                subject,
                variant,
                changed.equals("jdk") ? "another" : f.jdk(),
                changed.equals("cpu") ? "another" : f.cpu(),
                changed.equals("jar") ? "another" : f.jar(),
                f.because())));
    Kernels kernels = Kernels.load(options);
    kernels.linear(linear(BlockFormat.F32, 8));
    boolean declined = kernels.report().summary().equals("linear: scalar 1");
    assertEquals(expected.equals("vector/scalar"), declined, kernels.report().text());
  }

  /// `quern.cpu.mask` hides features from providers and not from C2.
  @Test
  void aMaskDoesNotHideAFailure() throws IOException {
    KernelOptions options = options();
    record(options, "gemm");
    Kernels kernels = Kernels.load(options.with("quern.cpu.mask", "-i8mm"));
    kernels.linear(linear(BlockFormat.F32, 8));
    assertEquals("linear: scalar 1", kernels.report().summary());
  }

  @Test
  void aCheckReplacesWhatTheLastOneFoundHere() throws IOException {
    KernelOptions options = options();
    KernelOptions elsewhere = on(Set.of("dotprod"));
    record(elsewhere, "gemv");
    record(options, "gemm");
    assertEquals(2, Selfcheck.read(options).failures().size());
    Selfcheck.read(options).store(vector(options), List.of());
    assertEquals(
        List.of("gemv"),
        Selfcheck.read(options).failures().stream().map(SelfcheckFailure::variant).toList());
    Selfcheck.read(elsewhere).store(vector(elsewhere), List.of());
    assertFalse(Files.exists(Selfcheck.file(options)), "nothing to say, no file");
    record(options, "gemm");
    assertTrue(Selfcheck.clear(options));
    assertFalse(Selfcheck.clear(options));
  }

  @Test
  void whatIsNoRegularFileIsNeitherReplacedNorDeleted() throws Exception {
    Path precious = Files.writeString(folder.resolve("precious"), "quern selfcheck 1\n");
    Path results = Files.createSymbolicLink(folder.resolve("results"), precious);
    KernelOptions options = options();
    assertThrows(OutputException.class, () -> record(options, "gemm"));
    assertThrows(OutputException.class, () -> Selfcheck.clear(options));
    assertThrows(OutputException.class, () -> SelfcheckFile.write(results, List.of()));
    assertTrue(Files.isSymbolicLink(results));
    assertEquals("quern selfcheck 1\n", Files.readString(precious));
    Files.delete(results);
    assertEquals(0, new ProcessBuilder("mkfifo", results.toString()).start().waitFor());
    assertThrows(OutputException.class, () -> Selfcheck.clear(options));
    assertTrue(Files.exists(results));
  }

  @Test
  void theFileGivesBackWhatWasWritten() throws IOException {
    SelfcheckFailure f =
        new SelfcheckFailure(
            "vector", Operator.ROPE, "adjacent", "v = 1", "jdk # 1", "[cpu]", "0", "a\n b = c ");
    SelfcheckFile.write(folder.resolve("new/results"), List.of(f, f));
    assertEquals(List.of(f, f), SelfcheckFile.read(folder.resolve("new/results")));
    assertEquals("a b = c", f.because());
    String text = Files.readString(folder.resolve("new/results"));
    assertTrue(text.contains("quern selfcheck --clear"), text);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "\n",
        "quern selfcheck 2\n",
        "quern selfcheck 1\nprovider = vector\n",
        "quern selfcheck 1\n[declined]\nprovider = vector\n",
        "quern selfcheck 1\n[declined]\nnonsense\n",
        "quern selfcheck 1\n[declined]\nprovider = a\nprovider = b\n",
        "quern selfcheck 1\n[declined]\nprovider = v\noperator = fly\nsubject = s\nvariant = g\njdk = j\ncpu = c\njar = h\nbecause = b\n",
        "quern selfcheck 1\n\u0000\u0001",
      })
  void whatCanNotBeUnderstoodStopsTheStart(String text) throws IOException {
    Files.writeString(folder.resolve("results"), text);
    KernelOptions options = options();
    SelectionException e = assertThrows(SelectionException.class, () -> Kernels.load(options));
    assertTrue(e.getMessage().contains(folder.resolve("results").toString()), e.getMessage());
    assertTrue(e.getMessage().contains("delete the file"), e.getMessage());
    assertEquals(1, e.getMessage().lines().count(), e.getMessage());
  }

  @Test
  void whatCanNotBeReadStopsTheStart() throws IOException {
    Files.createDirectories(folder.resolve("results"));
    KernelOptions options = options();
    SelectionException e = assertThrows(SelectionException.class, () -> Kernels.load(options));
    assertTrue(e.getMessage().contains("can't be read"), e.getMessage());
  }

  /// A FIFO would block for ever, a device never ends; neither is replaced or deleted.
  @ParameterizedTest
  @ValueSource(strings = {"fifo", "device", "large"})
  @Timeout(60)
  void onlyARegularFileOfResultsIsReadOrReplaced(String kind) throws Exception {
    Path file = folder.resolve("results");
    KernelOptions options = options();
    final SelfcheckFailure failure = failure(options, "gemm");
    switch (kind) {
      case "fifo" -> {
        if (!made(List.of("mkfifo", file.toString()))) {
          System.err.println("left out: there is no mkfifo here");
          return;
        }
      }
      case "device" -> Files.createSymbolicLink(file, Path.of("/dev/zero"));
      default -> Files.writeString(file, "x".repeat(2 << 20));
    }
    SelectionException e = assertThrows(SelectionException.class, () -> Kernels.load(options));
    assertTrue(
        e.getMessage().contains(kind.equals("large") ? "more than" : "not a regular file"),
        e.getMessage());
    assertEquals(1, e.getMessage().lines().count());
    if (!kind.equals("large")) {
      assertThrows(IOException.class, () -> SelfcheckFile.write(file, List.of()));
      assertThrows(IOException.class, () -> SelfcheckFile.write(file, List.of(failure)));
      assertThrows(IOException.class, () -> Selfcheck.clear(options));
      assertTrue(Files.exists(file));
    }
  }

  @Test
  void aPathThatIsNoneIsRefused() throws IOException {
    KernelOptions options = options().with("quern.selfcheck.file", "a\0b");
    SelectionException e = assertThrows(SelectionException.class, () -> Kernels.load(options));
    assertTrue(e.getMessage().startsWith("-Dquern.selfcheck.file: "), e.getMessage());
  }

  @Test
  void whatAMessageShowsOfAFileIsShortAndPlain() throws IOException {
    Files.writeString(folder.resolve("results"), "\u001b[2J" + "long".repeat(1000));
    KernelOptions options = options();
    SelectionException e = assertThrows(SelectionException.class, () -> Kernels.load(options));
    assertFalse(e.getMessage().contains("\u001b"), e.getMessage());
    assertTrue(e.getMessage().length() < 400, e.getMessage());
  }

  private static boolean made(List<String> command) throws InterruptedException {
    try {
      return new ProcessBuilder(command).inheritIO().start().waitFor() == 0;
    } catch (IOException e) {
      return false;
    }
  }

  @Test
  void subjectsAreWhatKernelsDifferBy() {
    assertEquals("Q8_0", SelfcheckFailure.subject(linear(BlockFormat.Q8_0, 8)));
    assertEquals(SelfcheckFailure.ALL, SelfcheckFailure.subject(RmsNormSpec.of(8, 0)));
  }

  @Test
  void withoutAPropertyTheFileIsInTheUsersCache() throws IOException {
    Path file = Selfcheck.file(Fakes.options(folder));
    assertTrue(file.endsWith(Path.of("quern", "selfcheck")), file.toString());
    assertTrue(file.isAbsolute(), file.toString());
  }

  @Test
  void cpusHaveNames() {
    assertEquals(
        "Zen 9",
        CpuFeatures.name(
            "processor\t: 0\nmodel name\t: Zen 9\nflags\t: avx\n\nmodel name\t: no\n"));
    assertEquals(
        "0x41 0x0 0xd0c 1",
        CpuFeatures.name(
            "processor\t: 0\nCPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x0\nCPU part\t: 0xd0c\nCPU revision\t: 1\n"));
    assertEquals("unknown CPU", CpuFeatures.name(""));
  }

  private KernelOptions options() throws IOException {
    return on(Fakes.PLATFORM.cpuFeatures());
  }

  private KernelOptions on(Set<String> features) throws IOException {
    KernelOptions options = Fakes.options(folder, Fakes.Scalar.class, Fakes.Vector.class);
    Platform platform =
        new Platform("linux", "aarch64", features, Jit.C2, Set.of("java.base"), Map.of());
    return new KernelOptions(options.properties(), platform, options.loader())
        .with("quern.selfcheck.file", folder.resolve("results").toString());
  }

  private static ProviderEntry vector(KernelOptions options) {
    return Catalog.scan(options).readyEntry("vector");
  }

  private static SelfcheckFailure failure(KernelOptions options, String variant)
      throws IOException {
    return Selfcheck.read(options)
        .failure(
            vector(options),
            Operator.LINEAR,
            linear(BlockFormat.F32, 8),
            new Variant(variant, GEMM.minRows(), GEMM.numerics()),
            "y[0][1] is 2.0, expected 1.0");
  }

  private static void record(KernelOptions options, String variant) throws IOException {
    Selfcheck.read(options).store(vector(options), List.of(failure(options, variant)));
  }

  private static LinearSpec linear(BlockFormat format, int outputs) {
    return new LinearSpec(format, outputs, 32, false, Set.of(Numerics.EXACT_F32));
  }
}

package dev.quern;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.data.BlockFormat;
import dev.quern.data.KvFormat;
import dev.quern.op.AttentionSpec;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.op.RmsNormSpec;
import dev.quern.op.RopePairing;
import dev.quern.op.RopeSpec;
import dev.quern.op.SwiGluSpec;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SelectionTest {
  private static final String LIBRARY = "quern.kleidi.library";
  private static final Set<Numerics> ANY = Set.copyOf(Numerics.standard());

  @TempDir Path folder;

  /// Who runs linear of Q4_0, linear of F32, and rope, under each value of `quern.provider`. Kleidi
  /// is ready in the rows that say so.
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "auto                  | yes | kleidi | vector | scalar",
        "auto                  | no  | scalar | vector | scalar",
        "scalar                | no  | scalar | scalar | scalar",
        "kleidi,scalar         | yes | kleidi | scalar | scalar",
        "scalar,vector         | no  | scalar | scalar | scalar",
        "vector,scalar         | no  | scalar | vector | scalar",
        " vector , scalar      | no  | scalar | vector | scalar",
        "kleidi?,vector,scalar | no  | scalar | vector | scalar",
        "kleidi?,vector,scalar | yes | kleidi | vector | scalar",
        "cuda?,scalar          | no  | scalar | scalar | scalar",
      })
  void theFirstThatTakesASpecRunsIt(String value, String kleidi, String q4, String f32, String rope)
      throws IOException {
    Kernels kernels = Kernels.load(options(kleidi.equals("yes")).withProvider(value));
    kernels.linear(linear(BlockFormat.Q4_0));
    kernels.linear(linear(BlockFormat.F32));
    kernels.rope(new RopeSpec(2, 8, RopePairing.ADJACENT));
    assertEquals(
        List.of(q4, f32, rope), kernels.report().choices().stream().map(Choice::provider).toList());
  }

  @Test
  void anOperatorMayHaveARuleOfItsOwn() throws IOException {
    KernelOptions options =
        options(true).withProvider("scalar").with("quern.provider.linear", "auto");
    Kernels kernels = Kernels.load(options);
    kernels.linear(linear(BlockFormat.F32));
    kernels.rmsNorm(RmsNormSpec.of(8, 0));
    assertEquals("linear: vector 1; rmsnorm: scalar 1", kernels.report().summary());
    assertEquals("quern.provider=scalar quern.provider.linear=auto", kernels.report().selection());
  }

  /// A list is a promise: each row fails at load, and says what would help.
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "kleidi        | is unavailable: no libkleidiai.so was found. Remedy: set -Dquern.kleidi",
        "kleidi        | set quern.provider=kleidi?,vector,scalar, or quern.provider=auto",
        "scalar,kleidi | set quern.provider=scalar,kleidi?,vector, or quern.provider=auto",
        "vectr         | no provider is called vectr (did you mean vector?)",
        "vectr,scalar  | set quern.provider=vector,scalar, or quern.provider=auto",
        "cuda          | no provider is called cuda, add its JAR",
        "amx           | is unavailable: the CPU has no AMX",
        "amx?          | none of these providers is ready; set quern.provider=amx?,vector,scalar",
        "Vector        | 'Vector' is not a provider name",
        "vector,       | an element is empty",
        "''            | an element is empty",
        "?             | an element is empty",
        "vector,vector?| vector is named twice",
        "vector,auto   | auto stands alone",
        "auto?         | auto stands alone",
      })
  void whatWasPromisedAndCantRunFails(String value, String message) throws IOException {
    KernelOptions options = options(false).withProvider(value);
    var e = assertThrows(SelectionException.class, () -> Kernels.load(options));
    assertTrue(e.getMessage().startsWith("quern.provider=" + value), e.getMessage());
    assertTrue(e.getMessage().contains(message), e.getMessage());
  }

  @Test
  void aFailureHoldsTheTable() throws IOException {
    var e =
        assertThrows(
            SelectionException.class, () -> Kernels.load(options(false).withProvider("kleidi")));
    for (String row : List.of("scalar", "vector", "256-bit vectors", "amx", "no AMX", "aarch64")) {
      assertTrue(e.getMessage().contains(row), e.getMessage());
    }
  }

  @Test
  void allBrokenPromisesAreToldAtOnce() throws IOException {
    KernelOptions options =
        options(false).withProvider("cuda").with("quern.provider.rope", "kleidi");
    String message =
        assertThrows(SelectionException.class, () -> Kernels.load(options)).getMessage();
    assertTrue(message.contains("quern.provider=cuda: no provider"), message);
    assertTrue(message.contains("quern.provider.rope=kleidi: provider kleidi"), message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "quern.provider.liner | scalar | no such operator (did you mean quern.provider.linear?)",
        "quern.provider.conv  | scalar | expected one of quern.provider.attention, ",
        "quern.provider.rope  | ,      | quern.provider.rope=,: an element is empty",
        "quern.numerics       | exat   | quern.numerics=exat (did you mean exact?)",
        "quern.numerics       | fast   | expected any, exact, invariant or exact,invariant",
        "quern.numerics       | exact,invariat | did you mean invariant?",
        "quern.numerics       | any,exact | expected any, exact, invariant or exact,invariant",
        "quern.numerics       | ,      | expected any, exact, invariant or exact,invariant",
        "quern.cpu.mask       | +sme   | would add a feature",
        "quern.cpu.mask       | -dotprd| did you mean dotprod?",
      })
  void malformedPropertiesFail(String key, String value, String message) throws IOException {
    KernelOptions options = options(false).with(key, value);
    var e = assertThrows(SelectionException.class, () -> Kernels.load(options));
    assertTrue(e.getMessage().contains(message), e.getMessage());
  }

  @Test
  void variablesStandForProperties() throws IOException {
    KernelOptions options =
        environment(
            Map.of("quern.provider.rope", "auto"),
            Map.of(
                "QUERN_PROVIDER", "vector?,scalar",
                "QUERN_PROVIDER_ROPE", "vector",
                "QUERN_NUMERICS", "exact",
                "QUERN_CPU_MASK", "-i8mm",
                "QUERN_KLEIDI_LIBRARY", "/lib/k.so",
                "QUERN_SELFCHECK_FILE", "",
                "PATH", "/bin"));
    assertEquals(
        Map.of(
            "quern.provider", "vector?,scalar",
            "quern.provider.rope", "auto",
            "quern.numerics", "exact",
            "quern.cpu.mask", "-i8mm",
            "quern.kleidi.library", "/lib/k.so"),
        options.properties());
    assertEquals(options.properties(), options.providersPlatform().properties());
    assertEquals(
        "QUERN_PROVIDER=vector?,scalar quern.provider.rope=auto QUERN_NUMERICS=exact QUERN_CPU_MASK=-i8mm",
        Kernels.load(options).report().selection());
    assertTrue(
        Kernels.load(options.withProvider("scalar"))
            .report()
            .selection()
            .startsWith("quern.provider=scalar "));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "QUERN_PROVIDER      | kleidy | QUERN_PROVIDER=kleidy: no provider is called kleidy (did you mean kleidi?)",
        "QUERN_PROVIDER      | nobody | Or set QUERN_PROVIDER=",
        "QUERN_PROVIDER_LINE | scalar | QUERN_PROVIDER_LINE: no such operator (did you mean QUERN_PROVIDER_LINEAR?), expected one of QUERN_PROVIDER_ATTENTION, ",
        "QUERN_PROVIDER_PATHS | a.jar | (did you mean QUERN_PROVIDER_PATH?)",
        "QUERN_NUMERICS      | exat   | QUERN_NUMERICS=exat (did you mean exact?)",
        "QUERN_CPU_MASK      | +sme   | QUERN_CPU_MASK=+sme: '+sme' would add a feature",
        "QUERN_PROVIDERS     | a.jar  | QUERN_PROVIDERS is called QUERN_PROVIDER_PATH now: JARs and folders of providers. (To say which provider runs, set QUERN_PROVIDER.)",
      })
  void malformedVariablesFailByTheirName(String name, String value, String message) {
    var e =
        assertThrows(
            SelectionException.class,
            () -> Kernels.load(environment(Map.of(), Map.of(name, value))));
    assertTrue(e.getMessage().contains(message), e.getMessage());
  }

  @Test
  void misspeltVariablesAreWarnedOfAndTheLaunchersAreNot() throws IOException {
    KernelOptions options =
        environment(
            Map.of("quern.provider", "scalar"),
            Map.of(
                "QUERN_PROVIDR", "x",
                "QUERN_KLEIDY_SME", "x",
                "QUERN_PROVIDER_PATH", "x",
                "QUERN_JAVA_OPTS", "x",
                "QUERN_LAUNCHER", "x",
                "QUERN_HOME", "x",
                "QUERN_", "x"));
    assertEquals(
        List.of(
            "WARNING environment variable QUERN_KLEIDY_SME has no effect; did you mean QUERN_KLEIDI_SME?",
            "WARNING environment variable QUERN_PROVIDR has no effect; did you mean QUERN_PROVIDER?"),
        Fakes.logged(() -> Kernels.load(options)));
  }

  private KernelOptions environment(Map<String, String> properties, Map<String, String> variables)
      throws IOException {
    KernelOptions found = options(true);
    return KernelOptions.of(properties, variables, found.platform(), found.loader());
  }

  @Test
  void autoWarnsOfWhatARemedyWouldBringAndOfNothingElse() throws IOException {
    KernelOptions options = options(false);
    List<String> lines = Fakes.logged(() -> Kernels.load(options));
    assertEquals(1, lines.size(), lines.toString());
    assertTrue(lines.getFirst().startsWith("WARNING provider kleidi ("), lines.toString());
    assertTrue(lines.getFirst().contains("Remedy: set -Dquern.kleidi.library"), lines.toString());
    assertEquals(List.of(), Fakes.logged(() -> Kernels.load(options.withProvider("scalar"))));
    assertEquals(
        1, Fakes.logged(() -> Kernels.load(options.withProvider("kleidi?,scalar"))).size());
  }

  @Test
  void aMisspeltOptionalNameIsWarnedOf() throws IOException {
    KernelOptions options = options(true).withProvider("kleidii?,scalar");
    assertEquals(
        List.of(
            "WARNING quern.provider=kleidii?,scalar: no provider is called kleidii; did you mean kleidi?"),
        Fakes.logged(() -> Kernels.load(options)));
  }

  @ParameterizedTest
  @CsvSource({
    "quern.providr, quern.provider",
    "quern.numeric, quern.numerics",
    "quern.cpumask, quern.cpu.mask",
    "quern.hugepage, quern.hugepages",
    "quern.kleidy.sme, quern.kleidi.sme",
  })
  void misspeltPropertiesAreWarnedOf(String key, String meant) throws IOException {
    KernelOptions options = options(true).with(key, "x");
    assertEquals(
        List.of("WARNING property " + key + " has no effect; did you mean " + meant + "?"),
        Fakes.logged(() -> Kernels.load(options)));
  }

  @Test
  void propertiesOfOthersAreNotOurs() throws IOException {
    KernelOptions options =
        options(true)
            .with("quern.shared", "x")
            .with("quern.shared.required", "true")
            .with("quern.fuzz.tries", "1")
            .with("quern.kleidi.sme", "off")
            .with("quern.home", "x");
    assertEquals(List.of(), Fakes.logged(() -> Kernels.load(options)));
  }

  @Test
  void aTieIsAnErrorUnderAutoOnly() throws IOException {
    KernelOptions options = Fakes.options(folder, Fakes.Vector.class, Fakes.Rival.class);
    var e = assertThrows(SelectionException.class, () -> Kernels.load(options));
    assertTrue(e.getMessage().contains("both have priority 100"), e.getMessage());
    assertTrue(e.getMessage().contains(Fakes.Vector.class.getName()), e.getMessage());
    assertTrue(e.getMessage().contains(Fakes.Rival.class.getName()), e.getMessage());
    assertTrue(e.getMessage().contains("set quern.provider=rival,vector"), e.getMessage());
    assertTrue(e.getMessage().contains("test-classes"), "names where they are: " + e.getMessage());
    Kernels.load(options.withProvider("vector"));
  }

  @Test
  void noProviderAtAllIsAnError() throws IOException {
    KernelOptions options = Fakes.options(folder);
    var e = assertThrows(SelectionException.class, () -> Kernels.load(options));
    assertTrue(e.getMessage().contains("add quern-provider-scalar"), e.getMessage());
    assertTrue(e.getMessage().contains("no provider was found"), e.getMessage());
  }

  @Test
  void aSpecThatNobodyTakesFailsWithAllReasons() throws IOException {
    Kernels kernels = Kernels.load(options(true).withProvider("kleidi,vector"));
    var e = assertThrows(SelectionException.class, () -> kernels.linear(linear(BlockFormat.Q5_1)));
    assertTrue(e.getMessage().startsWith("linear: no provider takes LinearSpec[Q5_1"));
    assertTrue(e.getMessage().contains("kleidi: needs Q4_0"), e.getMessage());
    assertTrue(e.getMessage().contains("vector: no kernel for Q5_1"), e.getMessage());
    assertTrue(e.getMessage().contains("not asked (scalar)"), e.getMessage());
    assertTrue(e.getMessage().contains("256-bit vectors"), "the table: " + e.getMessage());
    assertEquals(List.of(), kernels.report().choices());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "thrower | threw java.lang.UnsupportedOperationException: not today",
        "nuller  | offered null",
        "liar    | offered variant fast with numerics int8-asym-row where exact-f32|int8-sym-32",
      })
  void aBrokenOfferIsPassedOverByAutoAndFailsWhereNamed(String name, String reason)
      throws IOException {
    Class<?> broken =
        switch (name) {
          case "thrower" -> Fakes.Thrower.class;
          case "nuller" -> Fakes.Nuller.class;
          default -> Fakes.Liar.class;
        };
    KernelOptions options = Fakes.options(folder, broken, Fakes.Scalar.class);
    LinearSpec spec =
        linear(BlockFormat.Q4_0).withTolerated(Set.of(Numerics.EXACT_F32, Numerics.INT8_SYM_32));

    List<Refusal> refusals = new ArrayList<>();
    List<String> lines =
        Fakes.logged(() -> {
          Kernels kernels = Kernels.load(options);
          kernels.linear(spec);
          kernels.linear(spec);
          assertEquals("linear: scalar 2", kernels.report().summary());
          refusals.addAll(kernels.report().choices().getFirst().refusals());
        });
    assertEquals(1, lines.size(), "asked once, warned once: " + lines);
    assertTrue(lines.getFirst().contains(reason), lines.toString());
    assertEquals(name, refusals.getFirst().provider());
    assertTrue(refusals.getFirst().reason().contains(reason), refusals.toString());

    Kernels named = Kernels.load(options.withProvider(name + ",scalar"));
    var e = assertThrows(SelectionException.class, () -> named.linear(spec));
    assertTrue(e.getMessage().contains(reason), e.getMessage());
  }

  @Test
  void otherOperatorsAreExact() throws IOException {
    KernelOptions options =
        Fakes.options(folder, Fakes.Liar.class, Fakes.Scalar.class).withProvider("liar");
    Kernels kernels = Kernels.load(options);
    var e = assertThrows(SelectionException.class, () -> kernels.rmsNorm(RmsNormSpec.of(8, 1e-5f)));
    assertTrue(e.getMessage().contains("int8-sym-32 where exact-f32"), e.getMessage());
  }

  @Test
  void exactNumericsLeaveNoOther() throws IOException {
    Kernels kernels = Kernels.load(options(true).with("quern.numerics", "exact"));
    kernels.linear(linear(BlockFormat.Q4_0));
    Choice choice = kernels.report().choices().getFirst();
    assertEquals("scalar", choice.provider());
    assertEquals("LinearSpec[Q4_0, outputs=4, inputs=256, exact-f32]", choice.spec());
    LinearSpec int8 = linear(BlockFormat.Q4_0).withTolerated(Set.of(Numerics.INT8_SYM_32));
    var e = assertThrows(SelectionException.class, () -> kernels.linear(int8));
    assertTrue(e.getMessage().contains("quern.numerics=exact leaves no arithmetic of"));
  }

  /// Every variant of an offer has to promise it (P21).
  @Test
  void invariantNumericsLeaveWhatPromisesThem() throws IOException {
    Kernels kernels = Kernels.load(options(true).with("quern.numerics", "invariant"));
    kernels.linear(linear(BlockFormat.F32));
    Choice choice = kernels.report().choices().getFirst();
    assertEquals("scalar", choice.provider());
    assertEquals(
        List.of(
            new Refusal("kleidi", "needs Q4_0 and int8-sym-32"),
            new Refusal(
                "vector",
                "invariant results (P21), which quern.numerics asks for, are not promised by gemv,"
                    + " gemm")),
        choice.refusals());
    Kernels vector =
        Kernels.load(options(true).withProvider("vector").with("quern.numerics", "invariant"));
    var e = assertThrows(SelectionException.class, () -> vector.linear(linear(BlockFormat.F32)));
    assertTrue(e.getMessage().contains("vector: invariant results (P21)"), e.getMessage());
  }

  @Test
  void exactAndInvariantGoTogether() throws IOException {
    KernelOptions options = options(true).with("quern.numerics", " exact , invariant");
    Kernels kernels = Kernels.load(options);
    kernels.linear(linear(BlockFormat.Q4_0));
    assertEquals(
        "LinearSpec[Q4_0, outputs=4, inputs=256, exact-f32]",
        kernels.report().choices().getFirst().spec());
    assertTrue(options.providersPlatform().invariant());
    assertFalse(options.with("quern.numerics", "exact").providersPlatform().invariant());
    assertFalse(options(true).providersPlatform().invariant());
  }

  @Test
  void aChoiceIsMadeOnceAndCounted() throws IOException {
    Kernels kernels = Kernels.load(options(true));
    assertSame(kernels.linear(linear(BlockFormat.F32)), kernels.linear(linear(BlockFormat.F32)));
    AttentionSpec attention = new AttentionSpec(4, 2, 8, 16, 0.5f, KvFormat.F16);
    assertSame(kernels.attention(attention), kernels.attention(attention));
    kernels.swiGlu(SwiGluSpec.of(8));
    KernelReport before = kernels.report();
    kernels.swiGlu(SwiGluSpec.of(8));
    assertEquals("linear: vector 2; attention: scalar 2; swiglu: scalar 1", before.summary());
    assertEquals(
        "linear: vector 2; attention: scalar 2; swiglu: scalar 2", kernels.report().summary());
  }

  @Test
  void threadsMayAskAtTheSameTime() throws Exception {
    Kernels kernels = Kernels.load(options(true));
    try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
      List<Future<?>> done = new ArrayList<>();
      for (int t = 0; t < 4; t++) {
        done.add(
            threads.submit(() -> {
              for (int i = 0; i < 200; i++) {
                kernels.linear(linear(i % 2 == 0 ? BlockFormat.F32 : BlockFormat.Q4_0));
                kernels.report();
              }
            }));
      }
      for (Future<?> f : done) {
        f.get();
      }
    }
    assertEquals("linear: vector 400, kleidi 400", sorted(kernels.report().summary()));
  }

  /// Which thread asked first decides the order.
  private static String sorted(String summary) {
    return summary.equals("linear: kleidi 400, vector 400")
        ? "linear: vector 400, kleidi 400"
        : summary;
  }

  @Test
  void providersSeeTheMaskedPlatform() throws IOException {
    KernelOptions options = options(true).with("quern.cpu.mask", "-i8mm");
    assertEquals(Set.of("dotprod"), Kernels.load(options).report().platform().cpuFeatures());
    assertFalse(Kernels.load(options).report().selection().isEmpty());
    assertEquals("x", Kernels.load(options).report().platform().properties().get(LIBRARY));
  }

  @Test
  void optionsTakeOurPropertiesOnly() throws IOException {
    KernelOptions options = options(false);
    var e = assertThrows(IllegalArgumentException.class, () -> options.with("provider", "scalar"));
    assertTrue(e.getMessage().contains("begins with quern."), e.getMessage());
    assertEquals("scalar", options.withProvider("scalar").properties().get("quern.provider"));
    assertEquals(options.platform(), options.withProvider("scalar").platform());
  }

  @Test
  void systemOptionsHoldSystemProperties() {
    KernelOptions options = KernelOptions.fromSystem();
    options.properties().forEach((key, value) -> assertEquals(System.getProperty(key), value));
    assertEquals(
        System.getProperties().stringPropertyNames().stream()
            .filter(k -> k.startsWith("quern."))
            .count(),
        options.properties().size());
  }

  private KernelOptions options(boolean kleidi) throws IOException {
    KernelOptions options =
        Fakes.options(
            folder, Fakes.Scalar.class, Fakes.Amx.class, Fakes.Kleidi.class, Fakes.Vector.class);
    return kleidi ? options.with(LIBRARY, "x") : options;
  }

  private static LinearSpec linear(BlockFormat weights) {
    return new LinearSpec(weights, 4, 256, false, ANY);
  }
}

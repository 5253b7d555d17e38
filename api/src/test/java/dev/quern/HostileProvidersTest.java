package dev.quern;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.discovery.Guard;
import dev.quern.discovery.ServiceFiles;
import dev.quern.op.RmsNormSpec;
import dev.quern.op.SwiGluSpec;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Providers that do what they can to stop others: each is a verdict, with a bound on time and
/// text.
class HostileProvidersTest {
  /// Short enough to wait for several times, long enough for an honest provider on a busy machine.
  private static final Guard GUARD = new Guard(Duration.ofSeconds(3));

  private static final String FOR_EVER =
      "while (true) try { Thread.sleep(100_000); } catch (InterruptedException e) { }";

  private record Case(String members, String text) {}

  /// Members of each class, and words of the verdict.
  private static final Map<String, Case> CASES = new LinkedHashMap<>();

  static {
    add(
        "ConstructorOom",
        "public %s() { throw new OutOfMemoryError(\"on purpose\"); }",
        "can't be constructed: java.lang.OutOfMemoryError: on purpose");
    add(
        "ConstructorInternal",
        "public %s() { throw new InternalError(\"inside\"); }",
        "java.lang.InternalError: inside");
    add(
        "ConstructorDeep",
        "int deep(int n) { return deep(n + 1) + 1; } public %s() { deep(0); }",
        "java.lang.StackOverflowError");
    add(
        "InitialiserOom",
        "static final int I = fail();"
            + " static int fail() { throw new OutOfMemoryError(\"static\"); }",
        "java.lang.OutOfMemoryError: static");
    add(
        "InitialiserBlocks",
        "static final int I = fail(); static int fail() {" + FOR_EVER + "}",
        "can't be constructed: gave no answer within 3.00 s");
    add(
        "NameInternal",
        "public String name() { throw new InternalError(\"x\"); }",
        "can't say who it is: java.lang.InternalError: x");
    add("NameLong", "public String name() { return \"x\".repeat(100_000); }", "its name is 'xxx");
    add(
        "NameWithEscapes",
        "public String name() { return \"a\\n\\u001b[31mb\"; }",
        "its name is 'a \\u001b[31mb'");
    add(
        "PriorityBlocks",
        "public int priority() {" + FOR_EVER + "}",
        "can't say who it is: gave no answer within 3.00 s");
    add(
        "VersionUnlinked",
        "public int specVersion() { throw new NoClassDefFoundError(\"a/B\"); }",
        "java.lang.NoClassDefFoundError: a/B");
    open(
        "AnswerOom",
        "throw new OutOfMemoryError();",
        "open(platform) threw java.lang.OutOfMemoryError (P3)");
    open("AnswerBlocks", FOR_EVER, "open(platform) gave no answer within 3.00 s");
    open(
        "AnswerWithoutText",
        "throw new RuntimeException() { public String toString() { return null; } };",
        "open(platform) threw far.hostile.AnswerWithoutText$1 (P3)");
    open(
        "AnswerThatThrowsTwice",
        "throw new RuntimeException() { public String getMessage() { throw new Error(); } };",
        "threw far.hostile.AnswerThatThrowsTwice$1, whose toString() throws");
    open(
        "AnswerInACircle",
        "var e = new RuntimeException(\"a\"); e.initCause(new RuntimeException(\"b\", e)); throw e;",
        "RuntimeException: a, caused by java.lang.RuntimeException: b");
    open(
        "AnswerLong",
        "throw new IllegalStateException(\"x\".repeat(10_000_000));",
        "xxx... (10000033 characters) (P3)");
    open(
        "ReasonLong",
        "return new Availability.Unavailable(\"y\".repeat(100_000), \"z\".repeat(100_000));",
        "yyy... (100000 characters). Remedy: zzz");
    open(
        "ReasonWithEscapes",
        "return new Availability.Unavailable(\"a\\r\\nb\\u001b]0;t\\u0007\\u202ec\", \"d\\n\\n e\");",
        "unavailable: a b\\u001b]0;t\\u0007\\u202ec. Remedy: d e");
    open(
        "ReasonEmpty",
        "return new Availability.Unavailable(\" \", \"\");",
        "says that it can't run, and no reason (P3)");
    open(
        "ReasonNull",
        "return new Availability.Unavailable(null, \"\");",
        "threw java.lang.NullPointerException: reason");
    open(
        "DetailWithEscapes",
        "return new Availability.Ready(this, \"fast\\n\\n\\u009b2J\");",
        "ready: fast \\u009b2J");
    offer("OfferOom", "throw new OutOfMemoryError(\"on purpose\");", "ready");
    offer("OfferBlocks", FOR_EVER, "ready");
    offer(
        "OfferWrong",
        "return (Offer) Offer.accepted(\"no kernel\", new Variant(\"v\", 1,"
            + " dev.quern.op.Numerics.EXACT_F32));",
        "ready");
    offer("OfferNoKernel", "return new Offer.Accepted<>(null, java.util.List.of());", "ready");
    offer(
        "OfferNoVariants",
        "return new Offer.Accepted<>((dev.quern.op.RmsNormKernel)"
            + " java.lang.reflect.Proxy.newProxyInstance(getClass().getClassLoader(), new"
            + " Class<?>[] { dev.quern.op.RmsNormKernel.class}, (p, m, a) -> null),"
            + " java.util.List.of());",
        "ready");
    offer(
        "OfferReason",
        "return Offer.declined(\"no\\n\\u001b[1mway\" + \"!\".repeat(100_000));",
        "ready");
  }

  @TempDir static Path folder;
  private static Kernels named;
  private static Kernels listed;
  private static Kernels automatic;

  private static void add(String type, String members, String text) {
    CASES.put(type, new Case(members, text));
  }

  private static void open(String type, String body, String text) {
    add(type, "public Availability open(Platform platform) {" + body + "}", text);
  }

  private static void offer(String type, String body, String text) {
    add(
        type,
        "public Offer<dev.quern.op.RmsNormKernel> rmsNorm(dev.quern.op.RmsNormSpec s) {"
            + body
            + "}",
        text);
  }

  @BeforeAll
  static void compile() throws IOException {
    Map<String, String> sources = new LinkedHashMap<>();
    StringBuilder services = new StringBuilder(Fakes.Scalar.class.getName() + "\n");
    sources.put("far.hostile.Base", ProviderJars.source("far.hostile.Base", "base", 1, ""));
    int priority = 1000;
    for (Map.Entry<String, Case> e : CASES.entrySet()) {
      String type = e.getKey();
      String name = type.toLowerCase(java.util.Locale.ROOT);
      String source =
          "package far.hostile; import dev.quern.spi.*; public class %s extends Base { public"
              + " String name() { return \"%s\"; } public int priority() { return %d; } %s }";
      String members = e.getValue().members.replace("%s", type);
      source = String.format(java.util.Locale.ROOT, source, type, name, priority++, "@");
      if (members.contains("String name()")) {
        source = source.replaceFirst("public String name\\(\\) \\{[^}]*\\}", "");
      }
      if (members.contains("int priority()")) {
        source = source.replaceFirst("public int priority\\(\\) \\{[^}]*\\}", "");
      }
      sources.put("far.hostile." + type, source.replace("@", members));
      services.append("far.hostile.").append(type).append('\n');
    }
    Path jar =
        ProviderJars.jar(
            folder.resolve("hostile.jar"),
            sources,
            Map.of(ServiceFiles.RESOURCE, services.toString()));
    load(
        new KernelOptions(
            Map.of(),
            Fakes.PLATFORM,
            new URLClassLoader(
                new URL[] {Fakes.url(jar)}, HostileProvidersTest.class.getClassLoader())));
  }

  /// At once: all that a load does here is to wait, three times.
  private static void load(KernelOptions options) {
    KernelOptions few =
        options.withProvider(
            "offeroom,offerblocks,offerwrong,offernokernel,offernovariants,offerreason,scalar");
    CompletableFuture<Kernels> first = loading(options.withProvider("scalar"));
    CompletableFuture<Kernels> second = loading(few);
    automatic = loading(options).join();
    named = first.join();
    listed = second.join();
  }

  private static CompletableFuture<Kernels> loading(KernelOptions options) {
    return CompletableFuture.supplyAsync(
        () -> Kernels.load(options, GUARD), Thread::startVirtualThread);
  }

  @Test
  void eachIsAVerdictOfOneShortLine() {
    List<ProviderEntry> entries = named.report().providers();
    assertEquals(CASES.size() + 1, entries.size());
    for (Map.Entry<String, Case> e : CASES.entrySet()) {
      ProviderEntry entry =
          entries.stream()
              .filter(x -> x.className().equals("far.hostile." + e.getKey()))
              .findFirst()
              .orElseThrow(() -> new AssertionError("no entry of " + e.getKey()));
      String text = entry.verdict().text();
      assertTrue(text.contains(e.getValue().text), e.getKey() + ": " + text);
      assertShown(text);
      assertShown(entry.label());
    }
    assertTrue(entries.stream().anyMatch(x -> x.ready() && x.name().equals("scalar")));
  }

  @Test
  void whoeverIsNamedRunsAllTheSame() {
    named.rmsNorm(RmsNormSpec.of(8, 0));
    assertEquals("scalar", named.report().choices().getFirst().provider());
    named.report().text().lines().forEach(HostileProvidersTest::assertShown);
  }

  @Test
  void underAutoOffersThatBreakArePassedOver() {
    // A list is a promise: the first that breaks it ends the start.
    SelectionException e =
        assertThrows(SelectionException.class, () -> listed.rmsNorm(RmsNormSpec.of(8, 0)));
    assertShown(e.getMessage());
    assertTrue(e.getMessage().contains("provider offeroom threw java.lang.OutOfMemoryError"));

    List<String> first = Fakes.logged(() -> automatic.rmsNorm(RmsNormSpec.of(8, 0)));
    Choice choice = automatic.report().choices().getFirst();
    assertEquals("scalar", choice.provider());
    Map<String, String> refusals = new LinkedHashMap<>();
    choice.refusals().forEach(r -> refusals.put(r.provider(), r.reason()));
    refusals.values().forEach(HostileProvidersTest::assertShown);
    assertRefused(refusals, "offeroom", "threw java.lang.OutOfMemoryError: on purpose instead");
    assertRefused(refusals, "offerblocks", "gave no answer within 3.00 s");
    assertRefused(refusals, "offerwrong", "with a java.lang.String, expected a RmsNormKernel");
    assertRefused(refusals, "offernokernel", "threw java.lang.NullPointerException: kernel");
    assertRefused(refusals, "offernovariants", "threw java.lang.IllegalArgumentException: offer:");
    assertRefused(refusals, "offerreason", "no \\u001b[1mway!!!");
    first.forEach(HostileProvidersTest::assertShown);

    automatic.rmsNorm(RmsNormSpec.of(16, 0));
    assertTrue(
        automatic.report().choices().getLast().refusals().stream()
            .anyMatch(r -> r.reason().startsWith("gave no answer before and is not asked again")));
    automatic.swiGlu(SwiGluSpec.of(8));
  }

  /// A thread that is interrupted while providers are asked still gets its answer, and stays
  /// interrupted.
  @Test
  void anInterruptIsKept() throws Exception {
    Guard.Outcome<String> outcome;
    Thread.currentThread().interrupt();
    try {
      outcome = GUARD.ask(() -> "here");
    } finally {
      assertTrue(Thread.interrupted());
    }
    assertEquals("here", outcome.value());
    assertInstanceOf(
        Error.class,
        GUARD
            .ask(() -> {
              throw new Error();
            })
            .thrown());
  }

  private static void assertRefused(Map<String, String> refusals, String provider, String text) {
    String reason = refusals.getOrDefault(provider, "");
    assertTrue(reason.contains(text), provider + ": " + reason);
  }

  private static void assertShown(String line) {
    assertTrue(line.length() < 3_000, "too long: " + line.length());
    assertTrue(line.chars().noneMatch(c -> Character.isISOControl(c) || c == 0x202e), line);
  }
}

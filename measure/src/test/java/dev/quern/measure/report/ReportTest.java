package dev.quern.measure.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.quern.Operator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// No chart without the ledger of what ran, and none whose label says something else.
class ReportTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path folder;

  static Stream<Arguments> damage() {
    return Stream.of(
        damage("no ledger", r -> r.remove("providers")),
        damage("no ledger", r -> r.putArray("providers")),
        damage("no ledger", r -> r.putNull("kernelCalls")),
        damage("no kernel for attention", r -> ReportTest.line(r, 1).put("operator", "rope")),
        damage("counts no call of swiglu", r -> calls(r).remove("swiglu")),
        damage("counts no call of rope", r -> calls(r).put("rope", 0)),
        damage("449 calls of linear kernels, expected 448", r -> calls(r).put("linear", 449)),
        damage("expected 512", r -> ReportTest.line(r, 0).put("uses", 8)),
        damage("scalar ran linear", r -> ReportTest.line(r, 0).put("provider", "scalar")),
        damage("kleidi ran swiglu", r -> ReportTest.line(r, 4).put("provider", "kleidi")),
        damage("promptTokens is 65", r -> r.put("promptTokens", 65)),
        damage("warmups is 2", r -> r.put("warmups", 2)),
        damage("context is 4096", r -> r.put("context", 4096)),
        damage("fullContext is false", r -> r.put("fullContext", false)),
        damage("order is \"apart\"", r -> r.put("order", "apart")),
        damage("decodeTokensPerSecond is missing", r -> r.remove("decodeTokensPerSecond")),
        damage("prefillTokensPerSecond is -1", r -> r.put("prefillTokensPerSecond", -1)));
  }

  private static Arguments damage(String complaint, Consumer<ObjectNode> damage) {
    return Arguments.of(complaint, damage);
  }

  @ParameterizedTest
  @MethodSource("damage")
  void aRunThatMayNotBeShownIsRefusedInOneLine(String complaint, Consumer<ObjectNode> damage) {
    ObjectNode run = run("m.gguf", "vector", "vector", 100);
    Run.read(run, "run 1"); // sound before
    damage.accept((ObjectNode) run.path("result"));
    String message = assertThrows(ReportException.class, () -> Run.read(run, "run 1")).getMessage();
    assertTrue(message.contains(complaint), message);
    assertTrue(message.contains("expected"), message);
    assertEquals(1, message.lines().count());
  }

  @Test
  void theLabelNamesItsProviders() {
    ObjectNode run = run("m.gguf", "vector", "vector", 100);
    run.put("label", "m.gguf on kleidi");
    assertTrue(
        assertThrows(ReportException.class, () -> Run.read(run, "run 1"))
            .getMessage()
            .contains("the label"));
  }

  @ParameterizedTest
  @MethodSource("promises")
  void aListIsKeptOrRefused(String asked, String ran, boolean kept) {
    ObjectNode run = run("m.gguf", asked, ran, 100);
    if (kept) {
      Run.read(run, "run 1");
    } else {
      assertThrows(ReportException.class, () -> Run.read(run, "run 1"));
    }
  }

  static Stream<Arguments> promises() {
    return Stream.of(
        Arguments.of("auto", "vector", true),
        Arguments.of("vector,scalar", "vector", true),
        Arguments.of("kleidi?,vector", "vector", true),
        Arguments.of("kleidi,vector", "vector", false),
        Arguments.of("scalar", "vector", false));
  }

  /// An operator that this model does not use, and one that only a later Quern knows.
  @Test
  void aLedgerIsOfTheModelsOperators() {
    ObjectNode run = run("m.gguf", "vector", "vector", 100);
    ObjectNode result = (ObjectNode) run.path("result");
    String unused = result.at("/providers/4/operator").asText();
    ((ArrayNode) result.path("providers")).remove(4);
    calls(result).put(unused, 0);
    assertEquals(4, read(run).ledger().lines().size());
    calls(result).remove(unused);
    assertEquals(4, read(run).ledger().lines().size());

    ObjectNode later = line(result, 3).deepCopy();
    ((ArrayNode) result.path("providers")).add(later.put("operator", "later"));
    assertTrue(
        assertThrows(ReportException.class, () -> read(run))
            .getMessage()
            .contains("no call of later"));
    calls(result).put("later", 64);
    assertEquals(5, read(run).ledger().lines().size());
    ((ArrayNode) result.path("providers")).remove(4);
    assertTrue(
        assertThrows(ReportException.class, () -> read(run))
            .getMessage()
            .contains("no kernel for later"));
  }

  @Test
  void oneLabelHasOneLedger() {
    ObjectNode other = run("m.gguf", "auto", "vector", 101);
    Report same = report(run("m.gguf", "auto", "vector", 100), other);
    assertEquals(1, same.series().size());
    assertEquals(2, same.series().getFirst().runs().size());
    ObjectNode scalar = run("m.gguf", "auto", "scalar", 50);
    String message = assertThrows(ReportException.class, () -> report(other, scalar)).getMessage();
    assertTrue(message.contains("runs 1 and 2 differ in what ran"), message);
    ObjectNode variant = run("m.gguf", "auto", "vector", 50);
    ((ObjectNode) variant.at("/result/providers/0/variants/0")).put("name", "f32-other");
    assertThrows(ReportException.class, () -> report(other, variant));
  }

  @Test
  void aFileReadsBackAndAChangedOneIsRefused() throws IOException {
    Path file = folder.resolve("a.json");
    Files.write(
        file,
        new ReportFile(
                "x", "./quern bench", List.of(read(run("m.gguf", "vector", "vector", 100.123))))
            .bytes());
    ReportFile back = ReportFile.read(file);
    assertEquals("./quern bench", back.command());
    assertEquals(1, back.runs().size());
    Files.writeString(file, Files.readString(file).replace("100.123", "200.123"));
    assertTrue(
        assertThrows(ReportException.class, () -> ReportFile.read(file))
            .getMessage()
            .contains("digest"));
    Files.writeString(file, "{\"protocol\": \"executorch\"}");
    assertThrows(ReportException.class, () -> ReportFile.read(file));
    Files.writeString(file, "no JSON");
    assertTrue(
        assertThrows(ReportException.class, () -> ReportFile.read(file))
            .getMessage()
            .contains("not JSON"));
  }

  @Test
  void runsOfTwoFilesAreTwoSeries() {
    Run run = read(run("m.gguf", "vector", "vector", 100));
    Report report =
        Report.of(
            List.of(
                new ReportFile("a.json", "./quern a", List.of(run)),
                new ReportFile("b.json", "./quern b", List.of(run))));
    assertEquals(
        List.of("m.gguf on vector [a.json]", "m.gguf on vector [b.json]"),
        report.series().stream().map(Series::label).toList());
  }

  @Test
  void thePageHoldsEveryFigureAndTheLedger() {
    Report report =
        report(
            run("<m&m>.gguf", "vector", "vector", 100),
            run("<m&m>.gguf", "vector", "vector", 110),
            run("n.gguf", "scalar", "scalar", 10));
    String page = ProtocolPage.html(report);
    for (Figure figure : Figure.values()) {
      assertTrue(page.contains("<title id="), page);
      assertTrue(page.contains(">" + figure.title() + "</title>"), figure.title());
      assertTrue(page.contains(">" + figure.unit() + "</text>"), figure.unit());
    }
    for (String part :
        List.of(
            "&lt;m&amp;m&gt;.gguf on vector",
            "f32-lanes",
            "Some CPU",
            "./quern bench",
            "linear 448")) {
      assertTrue(page.contains(part), part);
    }
    assertFalse(page.contains("<m&m>"), "labels are escaped");
    assertFalse(page.contains("rgb(1,2,3)"), "the ink is the page's");
    assertFalse(page.contains("<script") || page.contains("http-equiv"), "it stands alone");
    assertFalse(page.contains("<image"), "text and shapes only");
    String text = ReportText.of(report);
    assertTrue(text.contains("[100.0 .. 110.0] of 2"), text);
    assertTrue(text.contains("linear: vector 7"), text);
  }

  @Test
  void theSvgIsWellFormed() throws Exception {
    String svg = ProtocolPage.svg(report(run("m.gguf", "vector", "vector", 100)));
    javax.xml.parsers.DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(
            new java.io.ByteArrayInputStream(
                svg.getBytes(java.nio.charset.StandardCharsets.UTF_8)));
    assertTrue(svg.contains("m.gguf on vector: 100.0</text>"), svg);
  }

  @Test
  void aFigureThatARunLacksIsNoBar() {
    ObjectNode run = run("m.gguf", "vector", "vector", 100);
    ((ObjectNode) run.path("result")).putNull("peakResidentBytes");
    Report report = report(run);
    assertTrue(ReportText.of(report).contains("unknown"));
    assertFalse(ProtocolPage.html(report).contains("id=\"peak-memory-title\""));
  }

  private static Report report(JsonNode... runs) {
    return Report.of(
        List.of(
            new ReportFile("x", "./quern bench", Stream.of(runs).map(ReportTest::read).toList())));
  }

  private static Run read(JsonNode run) {
    return Run.read(run, "run");
  }

  private static ObjectNode line(ObjectNode result, int line) {
    return (ObjectNode) result.path("providers").get(line);
  }

  private static ObjectNode calls(ObjectNode result) {
    return (ObjectNode) result.path("kernelCalls");
  }

  /// As `quern bench` writes it: 7 linear kernels, each called in 64 forward passes.
  private static ObjectNode run(String name, String asked, String ran, double prefill) {
    ObjectNode run = JSON.createObjectNode();
    run.put("label", Run.label(name, asked)).put("model", "/models/" + name).put("asked", asked);
    ObjectNode result = run.putObject("result");
    result.put("promptTokens", 64).put("genTokens", 64).put("decodedTokens", 63);
    result.put("context", 2048).put("depth", 0).put("warmups", 1).put("repetitions", 1);
    result.put("order", "after-prompt").put("fullContext", true).put("threads", 2);
    result.put("prefillTokensPerSecond", prefill).put("decodeTokensPerSecond", prefill / 4);
    result.put("timeToFirstTokenSeconds", 64 / prefill);
    result.put("peakResidentBytes", 3_000_000L).put("fileBytes", 1_000_000L);
    for (Operator<?, ?> operator : Operator.values()) {
      ObjectNode line = result.withArray("providers").addObject();
      line.put("operator", operator.id()).put("provider", ran).put("spec", operator + "[..]");
      line.put("uses", operator == Operator.LINEAR ? 7 : 1);
      ObjectNode variant = line.putArray("variants").addObject();
      variant.put("name", "f32-lanes").put("minRows", 1).put("numerics", "exact-f32");
      result.withObject("kernelCalls").put(operator.id(), 7 * 64);
    }
    ObjectNode environment = result.putObject("environment");
    environment.put("cpu", "Some CPU").put("processors", 2).put("jvm", "25").putNull("loadAverage");
    environment.putArray("jvmOptions").add("-Xx");
    return run;
  }
}

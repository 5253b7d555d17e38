package dev.quern.conformance.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.quern.conformance.CellResult;
import dev.quern.conformance.Comparison;
import dev.quern.conformance.Comparison.Difference;
import dev.quern.conformance.Comparison.Most;
import dev.quern.conformance.Coverage;
import dev.quern.conformance.Failure;
import dev.quern.conformance.ModelKernel;
import dev.quern.conformance.Plan;
import dev.quern.conformance.Selection;
import dev.quern.conformance.Settings;
import dev.quern.conformance.Steps;
import dev.quern.conformance.Suite;
import dev.quern.conformance.SuiteResult;
import dev.quern.conformance.Support;
import dev.quern.conformance.Target;
import dev.quern.conformance.judge.Outcome;
import dev.quern.data.BlockFormat;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.op.SwiGluSpec;
import dev.quern.provider.scalar.ScalarProvider;
import dev.quern.spi.Availability;
import dev.quern.spi.Jit;
import dev.quern.spi.KernelSet;
import dev.quern.spi.Platform;
import dev.quern.spi.Spec;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilder;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;
import org.xml.sax.SAXException;

/// The reports as programs and people read them: made of a run that really happened, and of one
/// whose every text is hostile.
class ReportTest {
  private static final String HOSTILE =
      "<script>alert('x')</script> & \"q\" ]]> {{body}} $1 \\ \n\t\u0000\u001b[31m\u0085 \uD800 \u20ac";

  private static final Platform PLATFORM =
      new Platform("linux", "aarch64", Set.of("dotprod"), Jit.C2, Set.of(), Map.of());
  private static final Environment ENVIRONMENT =
      new Environment(
          Spec.text(Spec.VERSION),
          PLATFORM,
          HOSTILE,
          "vm",
          2,
          Instant.parse("2026-01-02T03:04:05Z"));

  private static Tested swiGlu;

  @TempDir Path folder;

  @Test
  void jsonSaysWhatTheSuiteFound() throws IOException {
    Tested tested = swiGlu();
    JsonNode json = json(report(tested));
    assertTrue(json.get("green").asBoolean());
    assertEquals("2.0", json.at("/environment/specVersion").asText());
    assertEquals(tested.result().passes(), json.at("/tested/passes").asLong());
    assertEquals(0, json.at("/tested/failures").asLong());
    assertEquals("swiglu", json.at("/tested/subjects/1/operator").asText());
    assertTrue(json.at("/tested/subjects/1/asDeclared").asBoolean());
    assertTrue(json.at("/tested/subjects/1/worstRatio").asDouble() > 0);
    assertEquals(tested.tests().size(), json.at("/tested/tests").size());
    assertTrue(json.at("/tested/tests/0/seconds").isNumber());
  }

  @Test
  void jsonKeepsHostileTextAndInfinity() throws IOException {
    JsonNode json = json(report(hostile()));
    assertFalse(json.get("green").asBoolean());
    JsonNode failure = json.at("/tested/failures/0");
    assertEquals(HOSTILE, failure.get("expected").asText());
    assertEquals(Double.POSITIVE_INFINITY, failure.get("ratio").asDouble());
    assertEquals(3, json.at("/tested/failures").size(), "one for each class of shapes that failed");
  }

  @Test
  void junitXmlCountsWhatItHolds() throws Exception {
    for (Tested tested : List.of(swiGlu(), hostile(), nothing())) {
      Element suite = xml(JUnitReport.of(ENVIRONMENT, tested)).getDocumentElement();
      assertEquals("testsuite", suite.getTagName());
      for (String attribute : List.of("name", "tests", "errors", "skipped", "failures")) {
        assertTrue(suite.hasAttribute(attribute), attribute);
      }
      NodeList cases = suite.getElementsByTagName("testcase");
      assertEquals(tested.tests().size(), cases.getLength());
      assertEquals(suite.getAttribute("tests"), "" + cases.getLength());
      assertEquals(
          suite.getAttribute("failures"), "" + suite.getElementsByTagName("failure").getLength());
      assertEquals(
          suite.getAttribute("skipped"), "" + suite.getElementsByTagName("skipped").getLength());
      Set<String> names = new HashSet<>();
      for (Element testcase : elements(cases)) {
        assertTrue(names.add(testcase.getAttribute("name")), testcase.getAttribute("name"));
        assertFalse(testcase.getAttribute("classname").isEmpty());
        assertTrue(testcase.getAttribute("time").matches("\\d+\\.\\d{3}"));
      }
    }
    Element failure =
        (Element)
            xml(JUnitReport.of(ENVIRONMENT, hostile())).getElementsByTagName("failure").item(0);
    assertTrue(failure.getAttribute("message").contains("<script>alert('x')</script> & \"q\" ]]>"));
    assertTrue(failure.getTextContent().contains("./quern conformance --provider p --replay L5"));
  }

  @Test
  void thePageIsXmlAndNeedsNothingElse() throws Exception {
    for (Report report :
        List.of(report(swiGlu()), report(hostile()), report(nothing()), compared())) {
      String html = HtmlReport.of(report);
      Document page = xml(html);
      assertEquals("html", page.getDocumentElement().getTagName());
      assertEquals(1, page.getElementsByTagName("script").getLength(), "the template's own");
      for (String tag : List.of("link", "img", "iframe", "object")) {
        assertEquals(0, page.getElementsByTagName(tag).getLength(), tag);
      }
      for (String word : List.of("src=", "url(", "@import", "http:", "https:", "{{")) {
        String known = html.replace("{{body}} $1", "");
        assertFalse(known.contains(word), word);
      }
      for (Element a : elements(page.getElementsByTagName("a"))) {
        assertTrue(
            html.contains("id=\"" + a.getAttribute("href").substring(1) + "\""), "a target here");
      }
      String pill = page.getElementsByTagName("span").item(0).getTextContent();
      assertEquals(report.green() ? "PASSED" : "FAILED", pill);
    }
  }

  @Test
  void thePageShowsEveryFailureWithItsReplay() throws Exception {
    Document page = xml(HtmlReport.of(report(hostile())));
    List<Element> failures =
        elements(page.getElementsByTagName("details")).stream()
            .filter(d -> d.getAttribute("class").equals("failure"))
            .toList();
    assertEquals(2, failures.size(), "one for each test that failed");
    for (Element failure : failures) {
      String text = failure.getTextContent();
      assertTrue(
          text.contains("<script>alert('x')</script> & \"q\" ]]> {{body}} $1 \\ \n\t"), text);
      assertTrue(text.contains("--replay L5_exact_f32/linear:inputs=3"), text);
    }
    assertTrue(page.getElementsByTagName("svg").getLength() > 0);
    // A failed row, a declined row with its reason.
    List<Element> rows = elements(page.getElementsByTagName("tr"));
    assertTrue(rows.stream().anyMatch(r -> r.getTextContent().contains("7 of 9 failed")));
    assertTrue(
        rows.stream().anyMatch(r -> r.getTextContent().contains("declined: no such kernel")));
  }

  @Test
  void theTerminalShowsFailuresInFullUntilThereAreMany() {
    String text = report(hostile()).text();
    assertTrue(text.contains("expected  <script>"), text);
    assertTrue(text.contains("--replay L5_exact_f32/linear:inputs=3"), text);
    assertTrue(text.contains("no such kernel"), text);
    assertTrue(text.lines().toList().getLast().startsWith("FAILED: p does not keep"), text);

    List<CellResult> many =
        IntStream.range(0, 15).mapToObj(i -> failed("F" + i + " exact-f32", "1 row")).toList();
    String long_ = report(tested(many)).text();
    assertEquals(10, long_.split("expected  ", -1).length - 1);
    assertEquals(15, long_.split("replay    \\./quern", -1).length - 1);
  }

  @Test
  void whatAcceptsNothingFails() {
    assertFalse(nothing().green());
    String text = report(nothing()).text();
    assertTrue(text.contains("FAILED: p accepted nothing"), text);
    assertFalse(report(tested(List.of())).green());
  }

  @Test
  void declinedAndSkippedAreCountedApartFromPasses() {
    Counts counts =
        Counts.of(
            List.of(
                cell("L5", "linear", "F32 a", 5, 0, Map.of("declined: no", 2, "C1 runs", 3)),
                cell("L6", "linear", "F32 a", 1, 4, Map.of())));
    assertEquals(new Counts(6, 4, 2, 3, 0, ""), counts);
  }

  @Test
  void theSuggestionDeclaresWhatIsAccepted() {
    Tested scalar = scalar("linear", "attention", "rmsnorm", "rope", "swiglu");
    Support suggested = Support.parse("suggested", String.join("\n", scalar.suggestion()));
    Target target = new Target(new ScalarProvider(), PLATFORM, suggested);
    SuiteResult again =
        Suite.run(
            target,
            new Settings(0, 1, Optional.empty()),
            new Selection(Set.of(), Set.of(), Set.of("support")),
            cell -> {});
    assertTrue(again.green(), scalar.suggestion().toString());
    assertFalse(scalar.supportFailed());
    assertTrue(tested(List.of(cell("support", "linear", "F32 a", 0, 1, Map.of()))).supportFailed());
  }

  @Test
  void aReportIsWrittenToAFolder() throws IOException {
    Report report = report(hostile());
    List<Path> files = report.write(folder.resolve("a/b"));
    assertEquals(3, files.size());
    assertEquals(HtmlReport.of(report), Files.readString(files.getFirst()));
    assertEquals(2, compared().write(folder.resolve("c")).size(), "no junit.xml without a suite");
  }

  @Test
  void comparisonsAreReported() throws Exception {
    JsonNode json = json(compared());
    assertEquals(0.5, json.at("/comparison/differences/0/most/ratio").asDouble());
    assertEquals("P5/swiglu:width=3", json.at("/comparison/differences/0/most/replay").asText());
    String text = compared().text();
    assertTrue(text.contains("y[0][1]: 1.5, 2.5"), text);
    assertTrue(text.contains("same bits"), text);
    assertTrue(text.contains("b declined: " + "no"), text);
    String page = xml(HtmlReport.of(compared())).getDocumentElement().getTextContent();
    assertTrue(page.contains("y[0][1]: 1.5 and 2.5, expected 2.0"), page);
  }

  @Test
  void numbersLookTheSameInEveryCountry() {
    Locale before = Locale.getDefault();
    try {
      Locale.setDefault(Locale.ROOT);
      Report report = report(hostile());
      List<String> expected = List.of(report.text(), HtmlReport.of(report), JsonReport.of(report));
      Locale.setDefault(Locale.GERMANY);
      assertEquals(expected, List.of(report.text(), HtmlReport.of(report), JsonReport.of(report)));
    } finally {
      Locale.setDefault(before);
    }
  }

  @Test
  void coverageIsReported() throws Exception {
    Report report = report(swiGlu());
    JsonNode coverage = json(report).get("coverage");
    assertEquals("a mode", coverage.at("/mode/0").asText());
    assertEquals("width", coverage.at("/operators/0/sizes/0/name").asText());
    assertTrue(coverage.at("/operators/0/sizes/0/passed").asInt() >= 512);
    assertEquals(1000000, coverage.at("/operators/0/sizes/0/models").asInt());
    assertFalse(coverage.at("/operators/0/sizes/1").has("models"), "nothing is known of rows");
    assertTrue(coverage.at("/operators/0/pairsMet").asInt() > 0);
    assertTrue(coverage.at("/operators/0/pairs/0/unmet").isArray());
    assertTrue(coverage.at("/untested/P20").isTextual());
    assertTrue(
        coverage.get("checks").findValuesAsText("name").contains("S1_exact"),
        coverage.get("checks").toString());
    String left = coverage.at("/notReached/0").asText();
    assertTrue(left.matches("swiglu: width to [\\d,]+, where models have 1,000,000"), left);

    String text = report.text();
    assertTrue(text.contains("not reached: " + left), text);
    assertTrue(text.matches("(?s).*swiglu +width [\\d,]+ \\(1,000,000\\), rows [\\d,]+, .*"), text);
    String page = xml(HtmlReport.of(report)).getDocumentElement().getTextContent();
    assertTrue(page.contains(left), page);
    assertTrue(page.contains("smaller than in models"), page);
    assertTrue(page.contains("a mode"), page);
    assertFalse(json(report(hostile())).has("coverage"), "nobody has counted");
  }

  @Test
  void specsOfModelsAreReportedApartFromKindsOfSpec() throws Exception {
    Tested tested = scalar("swiglu", "linear");
    JsonNode json = json(report(tested)).get("tested");
    assertEquals(2, json.get("models").size(), json.get("models").toString());
    JsonNode linear = json.at("/models/0");
    assertEquals("F32 131072 x 16384, exact", linear.get("spec").asText());
    assertFalse(linear.get("accepted").asBoolean());
    assertTrue(linear.at("/tooLarge/0").asText().startsWith("all of it: 2,147,483,648 weights"));
    assertTrue(
        json(report(tested))
            .at("/coverage/notReached")
            .toString()
            .contains("m & m, linear F32 131072 x 16384, exact: too large to try: all of it"));
    JsonNode swiGlu = json.at("/models/1");
    assertEquals("m & m", swiGlu.get("model").asText());
    assertEquals(2, swiGlu.get("passes").asInt());
    for (JsonNode subject : json.get("subjects")) {
      assertFalse(subject.get("subject").asText().contains("m & m"), subject.toString());
    }
    assertFalse(json.get("supportSuggestion").toString().contains("m & m"));
    String text = report(tested).text();
    assertTrue(text.contains("linear     F32 131072 x 16384, exact  NOT TRIED"), text);
    assertTrue(
        text.matches(
            "(?s).*what m & m needs:.*swiglu +width 48 +2 passed, 0 failed: 1 row, 256 rows.*"),
        text);
    String page = xml(HtmlReport.of(report(tested))).getDocumentElement().getTextContent();
    assertTrue(page.contains("too large to try: all of it: 2,147,483,648 weights"), page);
  }

  @Test
  void whatARunTookIsReported() throws Exception {
    Cost cost = new Cost(12.25, OptionalLong.of(800_000_000), 300_000_000);
    Report report =
        new Report(ENVIRONMENT, Optional.of(hostile()), Optional.empty(), Optional.of(cost));
    JsonNode environment = json(report).get("environment");
    assertEquals(12.25, environment.get("seconds").asDouble());
    assertEquals(800_000_000, environment.get("peakResidentBytes").asLong());
    assertEquals(300_000_000, environment.get("peakHeapBytes").asLong());
    String words = "12 s, at most 800 MB of memory and 300 MB of heap in it";
    assertTrue(report.text().contains(words), report.text());
    String page = xml(HtmlReport.of(report)).getDocumentElement().getTextContent();
    assertTrue(page.contains(words), page);
    Cost now = Cost.now(1, OptionalLong.empty());
    assertTrue(now.heapBytes() > 0);
    assertTrue(now.text().startsWith("1 s, at most "), now.text());
  }

  private static Report report(Tested tested) {
    return new Report(ENVIRONMENT, Optional.of(tested), Optional.empty());
  }

  private static Report compared() {
    Most most = new Most(0.5, "y[0][1]", 2, 1.5, 2.5, 2, "P5/swiglu:width=3");
    return new Report(
        ENVIRONMENT,
        Optional.empty(),
        Optional.of(
            new Comparison(
                "a",
                "b",
                new Settings(1, 1, Optional.empty()),
                List.of(
                    new Difference(
                        "swiglu", "F32", 3, "", 0.1, 0.4, Optional.of(most), Optional.empty()),
                    new Difference(
                        "rope", "adjacent", 3, "", 0, 0, Optional.empty(), Optional.empty()),
                    new Difference(
                        "linear",
                        HOSTILE,
                        0,
                        "b declined: no",
                        0,
                        0,
                        Optional.empty(),
                        Optional.empty())))));
  }

  /// The scalar provider on one operator, once.
  private static Tested swiGlu() {
    swiGlu = swiGlu == null ? scalar("swiglu") : swiGlu;
    return swiGlu;
  }

  /// The scalar provider on some operators, quickly.
  private static Tested scalar(String... operators) {
    ScalarProvider provider = new ScalarProvider();
    Stopwatch stopwatch = new Stopwatch();
    Set<String> rules =
        operators.length > 1
            ? Set.of("P9", "L14", "support")
            : Set.of(); // all rules would take long
    Plan plan =
        new Plan(
            List.of(
                new ModelKernel("m & m", SwiGluSpec.of(48), List.of(), 64),
                new ModelKernel(
                    "m & m",
                    new LinearSpec(
                        BlockFormat.F32, 1 << 17, 1 << 14, false, Set.of(Numerics.EXACT_F32)),
                    List.of(),
                    64)),
            new Coverage(),
            Steps.all());
    SuiteResult result =
        Suite.run(
            Target.here(provider),
            new Settings(1, 1, Optional.empty()),
            new Selection(
                Set.of(operators.length > 1 ? operators : new String[] {operators[0], "provider"}),
                Set.of(),
                rules),
            plan,
            stopwatch);
    Extent extent =
        new Extent(
            List.of("a mode"),
            plan.coverage()
                .table((operator, size) ->
                    size.equals("width") ? OptionalLong.of(1000000) : OptionalLong.empty()));
    return new Tested(
        Origin.of(provider, "here"),
        result,
        stopwatch.nanos(),
        "./quern conformance --provider scalar --replay ",
        Optional.of(extent));
  }

  /// Two tests failed, one passed, one declined; every text is hostile.
  private static Tested hostile() {
    return tested(
        List.of(
            failed(HOSTILE, "1 row"),
            failed(HOSTILE, "2-8 rows"),
            failed("F16 " + HOSTILE, "1 row"),
            cell("L1", "linear", "F16 ok", 5000, 0, Map.of()),
            cell(
                "L1", "linear", "F16 no", 0, 0, Map.of("declined: no such kernel " + HOSTILE, 1))));
  }

  private static Tested nothing() {
    return tested(
        List.of(
            cell("P1", "provider", "all", 1, 0, Map.of()),
            cell("P4", "linear", "F32 a", 5, 0, Map.of()),
            cell("L5", "linear", "F32 a", 0, 0, Map.of("declined: no", 1))));
  }

  private static Tested tested(List<CellResult> cells) {
    return new Tested(
        new Origin("p", "1", HOSTILE, HOSTILE),
        new SuiteResult(
            "p",
            Spec.VERSION,
            PLATFORM,
            new Availability.Ready(new KernelSet() {}, HOSTILE),
            new Settings(1, 1, Optional.empty()),
            cells),
        Map.of(),
        "./quern conformance --provider p --replay ");
  }

  private static CellResult cell(
      String rule,
      String operator,
      String subject,
      int passes,
      int failures,
      Map<String, Integer> skips) {
    int skipped = skips.values().stream().mapToInt(Integer::intValue).sum();
    return new CellResult(
        rule,
        "name",
        operator,
        subject,
        "1 row",
        passes + failures + skipped,
        passes,
        failures,
        skips,
        0,
        "",
        Optional.empty());
  }

  private static CellResult failed(String subject, String shapes) {
    return new CellResult(
        "L5",
        "exact_f32",
        "linear",
        subject,
        shapes,
        9,
        2,
        7,
        Map.of(),
        Double.POSITIVE_INFINITY,
        "L5_exact_f32/linear:inputs=5",
        Optional.of(
            new Failure(
                "L5",
                HOSTILE,
                "p",
                "linear",
                subject,
                new Outcome.Fail("y[0][0]", HOSTILE, "0", "1e-3", Double.POSITIVE_INFINITY),
                List.of(HOSTILE),
                "L5_exact_f32/linear:inputs=3",
                "L5_exact_f32/linear:inputs=5",
                1)));
  }

  private static JsonNode json(Report report) throws IOException {
    return new ObjectMapper().readTree(JsonReport.of(report));
  }

  private static Document xml(String text)
      throws ParserConfigurationException, SAXException, IOException {
    DocumentBuilder builder = DocumentBuilderFactory.newInstance().newDocumentBuilder();
    builder.setErrorHandler(null);
    return builder.parse(new InputSource(new StringReader(text)));
  }

  private static List<Element> elements(NodeList nodes) {
    return IntStream.range(0, nodes.getLength()).mapToObj(i -> (Element) nodes.item(i)).toList();
  }
}

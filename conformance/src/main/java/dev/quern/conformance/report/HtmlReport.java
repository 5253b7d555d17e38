package dev.quern.conformance.report;

import dev.quern.conformance.Comparison;
import dev.quern.conformance.Failure;
import dev.quern.conformance.Settings;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/// One page that needs nothing else: the template `report.html` around sections that are written
/// here. It is XML too, so that a test can read it back.
final class HtmlReport {
  private static final List<String> STATUSES = List.of("failed", "passed", "declined", "skipped");

  private final Markup html = new Markup();

  private HtmlReport() {}

  static String of(Report report) {
    HtmlReport page = new HtmlReport();
    String title =
        report
            .tested()
            .map(t -> t.origin().name())
            .or(() -> report.comparison().map(c -> c.first() + " and " + c.second()))
            .orElse("nothing");
    page.head(report, title);
    page.environment(report);
    page.filter(report);
    report
        .tested()
        .ifPresent(t -> {
          page.support(t);
          page.failures(t);
          new HtmlTables(page.html).subjects(t);
          new HtmlModels(page.html).write(t);
          t.extent().ifPresent(e -> new HtmlCoverage(page.html).write(t, e));
        });
    report.comparison().ifPresent(c -> new HtmlComparison(page.html).write(c));
    report.tested().ifPresent(t -> new HtmlTables(page.html).tests(t));
    // Not replaceAll: the sections are full of characters that it would take for its own.
    return template()
        .replace("{{title}}", Markup.escape("Quern conformance: " + title))
        .replace("{{body}}", page.html.toString());
  }

  private static String template() {
    try (InputStream in = HtmlReport.class.getResourceAsStream("report.html")) {
      if (in == null) {
        throw new IllegalStateException("report.html is missing from the conformance JAR");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new IllegalStateException("report.html can't be read from the conformance JAR", e);
    }
  }

  private void head(Report report, String title) {
    html.start("h1").text("Quern conformance: " + title);
    html.element(
        "span",
        report.green() ? "PASSED" : "FAILED",
        "class",
        report.green() ? "pill good" : "pill bad");
    html.end();
    report
        .tested()
        .ifPresent(t -> {
          html.element("p", t.verdict(), "class", "dim");
          Counts c = Counts.of(t.result().cells());
          html.start("div", "class", "tiles");
          tile(c.passes(), "cases passed", "");
          tile(c.failures(), "cases failed", c.failures() > 0 ? "bad" : "");
          tile(c.declined(), "cases declined", "");
          tile(c.skipped(), "cases skipped", "");
          tile(
              t.specs().stream().filter(SubjectResult::accepted).count(),
              "kinds of spec accepted",
              "");
          tile(
              t.tests().stream().filter(test -> test.counts().failures() > 0).count(),
              "tests failed of " + t.tests().size(),
              c.failures() > 0 ? "bad" : "");
          html.end();
        });
  }

  private void tile(long number, String what, String kind) {
    html.start("div", "class", "tile");
    html.element("b", Format.text("%,d", number), "class", kind).text(what);
    html.end();
  }

  private void environment(Report report) {
    Environment e = report.environment();
    Map<String, String> facts = new LinkedHashMap<>();
    report
        .tested()
        .ifPresent(t -> {
          facts.put("provider", t.origin().name() + " " + t.origin().version());
          facts.put("class", t.origin().className());
          facts.put("JAR", t.origin().location());
        });
    facts.put("specification", "SPEC.md " + e.specVersion());
    report
        .tested()
        .map(t -> t.result().settings())
        .or(() -> report.comparison().map(Comparison::settings))
        .ifPresent(s -> facts.put("tries", tries(s)));
    report
        .tested()
        .flatMap(Tested::extent)
        .filter(x -> !x.mode().isEmpty())
        .ifPresent(x -> facts.put("mode", String.join("; ", x.mode())));
    facts.put(
        "machine",
        Format.text(
            "%s %s, %d processors", e.platform().os(), e.platform().arch(), e.processors()));
    facts.put("CPU features", String.join(" ", new TreeSet<>(e.platform().cpuFeatures())));
    facts.put("JDK", e.jdk());
    facts.put("JVM", e.vm() + ", JIT " + e.platform().jit());
    facts.put("when", e.when().toString());
    report
        .tested()
        .map(t -> Counts.of(t.result().cells()))
        .ifPresent(c -> facts.put("cases", Format.text("%,d", c.passes() + c.failures())));
    report.cost().ifPresent(c -> facts.put("took", c.text()));
    html.start("details", "open", "open").element("summary", "Environment");
    html.start("dl");
    facts.forEach((name, value) -> html.element("dt", name).element("dd", value).line());
    html.end().end();
  }

  private static String tries(Settings s) {
    return s.replay()
        .map(r -> "replay of " + r)
        .orElse(Format.text("%d for each rule and kind of spec, seed %d", s.tries(), s.seed()));
  }

  private void filter(Report report) {
    html.start("nav", "id", "filter");
    report
        .tested()
        .ifPresent(t -> {
          if (t.result().failures() > 0) {
            html.element("a", "failures", "href", "#failures");
          }
          html.element("a", "formats", "href", "#formats");
          if (!t.models().isEmpty()) {
            html.element("a", "models", "href", "#models");
          }
          t.extent().ifPresent(e -> html.element("a", "coverage", "href", "#coverage"));
        });
    report.comparison().ifPresent(c -> html.element("a", "comparison", "href", "#comparison"));
    report.tested().ifPresent(t -> html.element("a", "tests", "href", "#tests"));
    html.start("span", "id", "controls", "hidden", "hidden"); // until the script runs
    html.start(
        "input",
        "type",
        "search",
        "id",
        "query",
        "placeholder",
        "filter: operator, format, rule, words ...",
        "aria-label",
        "filter rows");
    for (String status : STATUSES) {
      html.start("label");
      html.start("input", "type", "checkbox", "value", status, "checked", "checked");
      html.text(" " + status).end();
    }
    html.element("span", "", "id", "count", "class", "dim");
    html.end().end();
  }

  private void support(Tested t) {
    if (!t.supportFailed()) {
      return;
    }
    html.element("h2", "Declared support").line();
    html.start("div", "class", "card");
    html.element(
        "p", "The declaration and the offers differ (rule support, below).", "class", "bad");
    html.element("p", "What it accepts here would be declared as", "class", "dim");
    html.element("pre", String.join("\n", t.suggestion()));
    html.end();
  }

  /// One line each, and all there is to say under it; the first of each kind of spec is open.
  private void failures(Tested t) {
    List<TestResult> failed = t.tests().stream().filter(x -> x.failure().isPresent()).toList();
    if (failed.isEmpty()) {
      return;
    }
    html.element("h2", "Failures", "id", "failures").line();
    Set<String> seen = new HashSet<>();
    for (TestResult test : failed) {
      Failure f = test.failure().orElseThrow();
      boolean first = seen.add(test.operator() + " " + test.subject());
      html.start(
          "details", "data-status", "failed", "class", "failure", "open", first ? "open" : "");
      html.start("summary");
      html.text(
          String.format(Locale.ROOT, "%s %s: %s ", f.operator(), f.subject(), test.testName()));
      Counts c = test.counts();
      html.element(
          "span", Format.text("%,d failed, %,d passed", c.failures(), c.passes()), "class", "dim");
      html.end();
      html.element("p", String.format(Locale.ROOT, "%s: %s", f.rule(), f.text()), "class", "dim");
      html.start("dl");
      fact("where", f.outcome().where());
      fact("expected", f.outcome().expected());
      fact("actual", f.outcome().actual());
      if (!f.outcome().bound().isEmpty()) {
        String times = Format.ratio(f.outcome().ratio());
        fact(
            "bound", String.format(Locale.ROOT, "%s (%s x the bound)", f.outcome().bound(), times));
      }
      f.inputs().forEach(i -> fact("input", i));
      html.end();
      if (!f.replay().isEmpty()) { // rules of the provider itself have no cases
        html.element("pre", t.replayCommand() + f.replay(), "class", "replay");
      }
      html.end();
    }
  }

  private void fact(String name, String value) {
    html.element("dt", name).start("dd").element("code", value).end();
  }
}

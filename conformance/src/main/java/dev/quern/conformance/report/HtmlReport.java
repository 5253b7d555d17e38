package dev.quern.conformance.report;

import dev.quern.conformance.Comparison;
import dev.quern.conformance.Failure;
import dev.quern.conformance.Settings;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Collectors;

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
    page.filter();
    report
        .tested()
        .ifPresent(t -> {
          page.support(t);
          page.failures(t);
          page.subjects(t);
        });
    report.comparison().ifPresent(c -> new HtmlComparison(page.html).write(c));
    report.tested().ifPresent(page::tests);
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
              t.subjects().stream().filter(SubjectResult::accepted).count(),
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
    html.element("b", "%,d".formatted(number), "class", kind).text(what);
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
    facts.put(
        "machine",
        "%s %s, %d processors".formatted(e.platform().os(), e.platform().arch(), e.processors()));
    facts.put("CPU features", String.join(" ", new TreeSet<>(e.platform().cpuFeatures())));
    facts.put("JDK", e.jdk());
    facts.put("JVM", e.vm() + ", JIT " + e.platform().jit());
    facts.put("when", e.when().toString());
    html.start("details", "open", "open").element("summary", "Environment");
    html.start("dl");
    facts.forEach((name, value) -> html.element("dt", name).element("dd", value).line());
    html.end().end();
  }

  private static String tries(Settings s) {
    return s.replay()
        .map(r -> "replay of " + r)
        .orElse("%d for each rule and kind of spec, seed %d".formatted(s.tries(), s.seed()));
  }

  private void filter() {
    html.start("nav", "id", "filter", "hidden", "hidden");
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
    html.end();
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

  private void failures(Tested t) {
    List<TestResult> failed = t.tests().stream().filter(x -> x.failure().isPresent()).toList();
    if (failed.isEmpty()) {
      return;
    }
    html.element("h2", "Failures").line();
    for (TestResult test : failed) {
      Failure f = test.failure().orElseThrow();
      html.start("article", "data-status", "failed");
      html.element("h3", "%s  %s %s".formatted(test.testName(), f.operator(), f.subject()));
      html.element("p", "%s: %s".formatted(f.rule(), f.text()), "class", "dim");
      html.start("dl");
      fact("where", f.outcome().where());
      fact("expected", f.outcome().expected());
      fact("actual", f.outcome().actual());
      if (!f.outcome().bound().isEmpty()) {
        fact(
            "bound",
            f.outcome().bound() + " (" + Format.ratio(f.outcome().ratio()) + " x the bound)");
      }
      fact(
          "cases",
          "%,d failed, %,d passed".formatted(test.counts().failures(), test.counts().passes()));
      f.inputs().forEach(i -> fact("input", i));
      html.end();
      html.element(
          "pre",
          f.replay().isEmpty() ? "seed " + f.seed() : t.replayCommand() + f.replay(),
          "class",
          "replay");
      html.end();
    }
  }

  private void fact(String name, String value) {
    html.element("dt", name).start("dd").element("code", value).end();
  }

  private void subjects(Tested t) {
    html.element("h2", "Operators, formats, shapes").line();
    html.element(
        "p",
        "Passed cases of each class of shapes. The bar is the worst error of all cases; the line is the rule's bound.",
        "class",
        "dim");
    Map<String, List<SubjectResult>> operators =
        t.subjects().stream()
            .collect(
                Collectors.groupingBy(
                    SubjectResult::operator, LinkedHashMap::new, Collectors.toList()));
    operators.forEach((operator, subjects) -> {
      List<String> shapes =
          subjects.stream()
              .filter(SubjectResult::accepted)
              .flatMap(s -> s.shapes().keySet().stream())
              .distinct()
              .sorted()
              .toList();
      html.element("h3", operator).line();
      html.start("table").start("thead").start("tr");
      html.element("th", "format");
      shapes.forEach(s -> html.element("th", s, "class", "n"));
      html.element("th", "declined", "class", "n");
      html.element("th", "skipped", "class", "n");
      html.element("th", "worst error / bound").element("th", "").element("th", "support");
      html.end().end().start("tbody");
      subjects.forEach(s -> row(s, shapes));
      html.end().end();
    });
  }

  private void row(SubjectResult s, List<String> shapes) {
    Counts all = s.counts();
    html.start("tr", "data-status", s.status(), "class", s.status());
    html.start("th").text(s.subject());
    html.element("span", " " + s.operator(), "hidden", "hidden").end(); // for the filter
    if (!s.accepted()) {
      String reason = String.join("; ", s.declinedBecause());
      html.element("td", "declined: " + reason, "colspan", Integer.toString(shapes.size() + 4));
    } else {
      Map<String, Counts> byShape = s.shapes();
      for (String shape : shapes) {
        Counts c = byShape.get(shape);
        html.element(
            "td",
            c == null
                ? "–"
                : c.failures() > 0
                    ? "%,d of %,d failed".formatted(c.failures(), c.failures() + c.passes())
                    : "%,d".formatted(c.passes()),
            "class",
            "n " + (c == null ? "skipped" : c.status()));
      }
      number(all.declined());
      number(all.skipped());
      html.start("td");
      Chart.bar(html, all.worstRatio());
      html.end();
      html.element("td", Format.ratio(all.worstRatio()), "title", all.worstCase(), "class", "n");
    }
    boolean differs = !s.asDeclared().orElse(true);
    html.element(
        "td",
        differs ? "differs" : s.asDeclared().isPresent() ? "as declared" : "",
        "class",
        differs ? "failed" : "dim");
    html.end();
  }

  private void number(long n) {
    html.element("td", n == 0 ? "" : "%,d".formatted(n), "class", "n");
  }

  private void tests(Tested t) {
    html.start("details").element("summary", "All %,d tests".formatted(t.tests().size()));
    html.start("table").start("thead").start("tr");
    for (String head : List.of("operator", "test", "format")) {
      html.element("th", head);
    }
    for (String head : List.of("passed", "failed", "declined", "skipped", "worst", "seconds")) {
      html.element("th", head, "class", "n");
    }
    html.element("th", "worst case, or why not").end().end().start("tbody");
    for (TestResult test : t.tests()) {
      Counts c = test.counts();
      html.start("tr", "data-status", c.status(), "class", c.status());
      html.element("td", test.operator());
      html.element("td", test.testName()).element("td", test.subject());
      number(c.passes());
      html.element(
          "td",
          c.failures() == 0 ? "" : "%,d".formatted(c.failures()),
          "class",
          c.failures() == 0 ? "n" : "n failed");
      number(c.declined());
      number(c.skipped());
      html.element("td", c.worstRatio() == 0 ? "" : Format.ratio(c.worstRatio()), "class", "n");
      html.element("td", Format.seconds(test.nanos()), "class", "n");
      html.start("td");
      Optional.of(c.worstCase()).filter(w -> !w.isEmpty()).ifPresent(w -> html.element("code", w));
      html.text(String.join("; ", test.reasons()));
      html.end().end();
    }
    html.end().end().end();
  }
}

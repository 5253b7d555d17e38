package dev.quern.conformance.report;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/// The page's tables of a provider: kinds of spec by classes of shapes, and all tests.
record HtmlTables(Markup html) {

  void subjects(Tested t) {
    html.element("h2", "Operators, formats, shapes", "id", "formats").line();
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
      if (subjects.stream().allMatch(s -> s.subject().contains(" "))) {
        overview(subjects);
      }
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

  /// Subjects of two words as a grid, such as formats by numerics: the worst errors at a glance.
  private void overview(List<SubjectResult> subjects) {
    Map<String, Map<String, SubjectResult>> grid = new LinkedHashMap<>();
    for (SubjectResult s : subjects) {
      String[] words = s.subject().split(" ", 2);
      grid.computeIfAbsent(words[0], k -> new LinkedHashMap<>()).put(words[1], s);
    }
    List<String> columns =
        grid.values().stream().flatMap(row -> row.keySet().stream()).distinct().toList();
    html.start("table", "class", "grid").start("thead").start("tr").element("th", "");
    columns.forEach(c -> html.element("th", c));
    html.end().end().start("tbody");
    grid.forEach((name, row) -> {
      html.start("tr").element("th", name);
      for (String column : columns) {
        Optional<SubjectResult> s = Optional.ofNullable(row.get(column));
        html.element(
            "td",
            s.map(HtmlTables::glance).orElse(""),
            "class",
            s.map(SubjectResult::status).orElse(""));
      }
      html.end();
    });
    html.end().end();
  }

  private static String glance(SubjectResult s) {
    Counts c = s.counts();
    return c.failures() > 0
        ? Format.text("%,d failed", c.failures())
        : s.accepted()
            ? String.format(Locale.ROOT, "%s of bound", Format.ratio(s.errors().worstRatio()))
            : "declined";
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
                    ? Format.text("%,d of %,d failed", c.failures(), c.failures() + c.passes())
                    : Format.text("%,d", c.passes()),
            "class",
            "n " + (c == null ? "skipped" : c.status()));
      }
      number(all.declined());
      number(all.skipped());
      Counts errors = s.errors();
      html.start("td");
      if (!s.provider()) {
        Chart.bar(html, errors.worstRatio());
      }
      html.end();
      html.start("td", "title", errors.worstCase(), "class", "k");
      if (!s.provider()) {
        html.text(Format.ratio(errors.worstRatio()));
        html.element("span", " " + errors.worstCase().split("/")[0], "class", "dim");
      }
      html.end();
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
    html.element("td", n == 0 ? "" : Format.text("%,d", n), "class", "n");
  }

  void tests(Tested t) {
    html.start("details", "id", "tests")
        .element("summary", Format.text("All %,d tests", t.tests().size()));
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
          c.failures() == 0 ? "" : Format.text("%,d", c.failures()),
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

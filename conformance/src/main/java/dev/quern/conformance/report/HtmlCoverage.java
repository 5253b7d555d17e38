package dev.quern.conformance.report;

import dev.quern.conformance.CoverageTable;
import dev.quern.conformance.CoverageTable.Pairs;
import dev.quern.conformance.CoverageTable.Size;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The page's section about what cases reached: sizes, pairs of features, checks.
record HtmlCoverage(Markup html) {

  void write(Tested t, Extent extent) {
    html.element("h2", "Coverage", "id", "coverage").line();
    html.element(
        "p",
        "What the cases reached, as their texts say it; calls that a rule makes besides are not counted.",
        "class",
        "dim");
    notReached(extent.notReached(t));
    html.element("h3", "Largest sizes").line();
    sizes(extent.coverage());
    for (CoverageTable.Operator o : extent.coverage().operators()) {
      if (!o.pairs().isEmpty()) {
        pairs(o);
      }
    }
    checks(t);
  }

  private void notReached(List<String> words) {
    html.start("div", "class", "card");
    html.element("b", words.isEmpty() ? "Nothing was left out." : "Not reached");
    if (!words.isEmpty()) {
      html.start("ul");
      words.forEach(w -> html.element("li", w));
      html.end();
    }
    html.end();
  }

  private void sizes(CoverageTable coverage) {
    html.start("table", "class", "grid").start("thead").start("tr");
    html.element("th", "operator").element("th", "size");
    html.element("th", "largest that passed", "class", "n");
    html.element("th", "in the models that people run", "class", "n").element("th", "");
    html.end().end().start("tbody");
    for (CoverageTable.Operator o : coverage.operators()) {
      for (Size s : o.sizes()) {
        html.start("tr").element("td", o.name()).element("th", s.name());
        html.element("td", Format.text("%,d", s.passed()), "class", "n");
        html.element(
            "td",
            s.models().isPresent() ? Format.text("%,d", s.models().getAsLong()) : "–",
            "class",
            "n");
        html.element(
            "td",
            (s.tooSmall() ? "smaller than in models" : s.models().isPresent() ? "reached" : "")
                + (s.tried() > s.passed() ? Format.text("; failed up to %,d", s.tried()) : ""),
            "class",
            s.tried() > s.passed() ? "bad" : s.tooSmall() ? "warn" : "good");
        html.end();
      }
    }
    html.end().end();
  }

  /// A triangle of features: how many of the pairs of their values met.
  private void pairs(CoverageTable.Operator o) {
    html.start("details", "open", "open");
    html.element(
        "summary",
        Format.text(
            "%s: %,d of %,d pairs of features met in a case", o.name(), o.met(), o.possible()));
    Map<String, Pairs> byNames =
        o.pairs().stream()
            .collect(Collectors.toMap(p -> p.first() + " " + p.second(), Function.identity()));
    Set<String> names = new LinkedHashSet<>();
    o.pairs().forEach(p -> Stream.of(p.first(), p.second()).forEach(names::add));
    List<String> features = List.copyOf(names);
    html.start("div", "class", "wide");
    html.start("table", "class", "grid pairs").start("thead").start("tr").element("th", "");
    features.stream().skip(1).forEach(f -> html.element("th", f));
    html.end().end().start("tbody");
    for (String row : features.subList(0, features.size() - 1)) {
      html.start("tr").element("th", row);
      for (String column : features.subList(1, features.size())) {
        Pairs p = byNames.get(row + " " + column);
        if (p == null) {
          html.element("td", "");
        } else {
          pair(p);
        }
      }
      html.end();
    }
    html.end().end().end();
    List<String> unmet = o.pairs().stream().flatMap(p -> p.unmet().stream()).toList();
    if (!unmet.isEmpty()) {
      html.start("details").element("summary", Format.text("%,d did not meet", unmet.size()));
      html.element("p", String.join("; ", unmet), "class", "dim").end();
    }
    html.end();
  }

  private void pair(Pairs p) {
    int possible = p.met() + p.unmet().size();
    html.element(
        "td",
        Format.text("%d of %d", p.met(), possible)
            + (p.declined() > 0 ? Format.text(", %d declined", p.declined()) : ""),
        "class",
        p.unmet().isEmpty() ? "passed" : "warn");
  }

  private void checks(Tested t) {
    html.start("details", "open", "open");
    html.element(
        "summary",
        Format.text("%d rules were checked, in %d ways", Extent.rules(t), Extent.checks(t).size()));
    html.start("table", "class", "grid").start("thead").start("tr").element("th", "check");
    for (String head : List.of("passed", "failed", "declined", "skipped")) {
      html.element("th", head, "class", "n");
    }
    html.end().end().start("tbody");
    Extent.checks(t)
        .forEach((name, c) -> {
          html.start("tr", "class", c.status()).element("th", name);
          for (long n : List.of(c.passes(), c.failures(), c.declined(), c.skipped())) {
            html.element("td", n == 0 ? "" : Format.text("%,d", n), "class", "n");
          }
          html.end();
        });
    html.end().end();
    html.element("h3", "Rules without a check").start("dl");
    Extent.untested()
        .forEach((rule, reason) -> html.element("dt", rule).element("dd", reason).line());
    html.end().end();
  }
}

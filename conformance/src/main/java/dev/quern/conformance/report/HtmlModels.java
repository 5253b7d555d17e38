package dev.quern.conformance.report;

import dev.quern.conformance.ModelResult;
import java.util.LinkedHashMap;
import java.util.Map;

/// The page's section about the specs of certain models.
record HtmlModels(Markup html) {

  void write(Tested t) {
    Map<String, Map<ModelResult, SubjectResult>> models = new LinkedHashMap<>();
    t.models()
        .forEach((m, s) -> models.computeIfAbsent(m.model(), k -> new LinkedHashMap<>()).put(m, s));
    if (models.isEmpty()) {
      return;
    }
    html.element("h2", "Specs of models", "id", "models").line();
    html.element(
        "p",
        "Each kernel that the models need, at its exact size, judged by its operator's bounds.",
        "class",
        "dim");
    models.forEach((model, specs) -> {
      html.element("h3", model).line();
      html.start("table").start("thead").start("tr");
      html.element("th", "operator").element("th", "spec");
      html.element("th", "passed", "class", "n").element("th", "failed", "class", "n");
      html.element("th", "worst error / bound").element("th", "").element("th", "calls");
      html.end().end().start("tbody");
      specs.forEach(this::row);
      html.end().end();
    });
  }

  private void row(ModelResult m, SubjectResult s) {
    Counts c = s.counts();
    html.start("tr", "data-status", s.status(), "class", s.status());
    html.element("td", m.operator()).start("th").text(m.spec());
    html.element("span", " " + m.model(), "hidden", "hidden").end(); // for the filter
    html.element("td", Format.text("%,d", c.passes()), "class", "n");
    html.element(
        "td",
        c.failures() == 0 ? "" : Format.text("%,d", c.failures()),
        "class",
        c.failures() == 0 ? "n" : "n failed");
    html.start("td");
    if (c.passes() + c.failures() > 0) {
      Chart.bar(html, c.worstRatio());
    }
    html.end();
    html.element(
        "td", c.passes() + c.failures() > 0 ? Format.ratio(c.worstRatio()) : "", "class", "k");
    html.start("td");
    if (c.declined() > 0) {
      html.text("declined: " + String.join("; ", s.declinedBecause()));
    } else {
      html.text(String.join(", ", m.tried()));
    }
    m.tooLarge().forEach(l -> html.element("p", "too large to try: " + l, "class", "warn"));
    html.end().end();
  }
}

package dev.quern.conformance.report;

import dev.quern.conformance.Comparison;
import dev.quern.conformance.Comparison.Difference;
import dev.quern.conformance.Comparison.Most;
import java.util.List;
import java.util.Locale;

/// The section of the page that compares two providers.
record HtmlComparison(Markup html) {

  void write(Comparison c) {
    html.element(
            "h2",
            String.format(Locale.ROOT, "%s and %s on the same cases", c.first(), c.second()),
            "id",
            "comparison")
        .line();
    html.element(
        "p",
        "The largest difference of two results, in units of the rule's bound; each provider may be 1 away from the truth.",
        "class",
        "dim");
    html.start("table").start("thead").start("tr");
    html.element("th", "operator").element("th", "format").element("th", "cases", "class", "n");
    html.element("th", "largest difference / bound").element("th", "");
    html.element("th", c.first() + "'s worst", "class", "n");
    html.element("th", c.second() + "'s worst", "class", "n");
    html.element("th", "where they differ most");
    html.end().end().start("tbody");
    c.differences().forEach(this::row);
    html.end().end();
  }

  private void row(Difference d) {
    String status = d.broken().isPresent() ? "failed" : d.cases() > 0 ? "passed" : "declined";
    html.start("tr", "data-status", status, "class", status);
    html.element("td", d.operator()).element("th", d.subject());
    html.element("td", Format.text("%,d", d.cases()), "class", "n");
    if (d.cases() == 0) {
      html.element("td", d.broken().orElse(d.declined()), "colspan", "5");
    } else {
      html.start("td");
      Chart.bar(html, d.most().map(Most::ratio).orElse(0.0));
      html.end();
      html.element(
          "td", d.most().map(m -> Format.ratio(m.ratio())).orElse("same bits"), "class", "n");
      for (double worst : List.of(d.firstWorst(), d.secondWorst())) {
        html.element("td", Format.ratio(worst), "class", worst > 1 ? "n failed" : "n");
      }
      html.start("td");
      d.broken().ifPresent(b -> html.element("p", b, "class", "bad"));
      d.most().ifPresent(this::most);
      html.end();
    }
    html.end();
  }

  private void most(Most m) {
    html.text(
        Format.text(
            "%s: %s and %s, expected %s, bound %.3g",
            m.where(), m.first(), m.second(), m.expected(), m.bound()));
    html.start("br").element("code", m.replay(), "class", "replay");
  }
}

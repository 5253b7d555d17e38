package dev.quern.conformance.report;

import dev.quern.conformance.Comparison;
import dev.quern.conformance.Comparison.Difference;
import dev.quern.conformance.CoverageTable;
import dev.quern.conformance.Failure;
import dev.quern.conformance.ModelResult;
import dev.quern.conformance.Settings;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The summary for a terminal: a line for each subject, the declined ones apart with the reason,
/// failures with their replay command, and the verdict last.
final class TextReport {
  /// Failures that are shown with all they have to say, at most one of each kind of spec; of the
  /// others the terminal shows a line each, and the files everything.
  private static final int IN_FULL = 10;

  /// Lines about what was not reached.
  private static final int NOT_REACHED = 5;

  private final StringBuilder out = new StringBuilder();

  private TextReport() {}

  static String of(Report report) {
    TextReport text = new TextReport();
    text.line("%s", report.environment().platform());
    text.line("%s, %s", report.environment().jdk(), report.environment().vm());
    report.cost().ifPresent(c -> text.line("%s", c.text()));
    report.tested().ifPresent(text::tested);
    report.comparison().ifPresent(text::comparison);
    return text.out.toString();
  }

  private void tested(Tested t) {
    line("%s %s, %s", t.origin().name(), t.origin().version(), t.origin().location());
    settings(t.result().settings());
    t.extent().ifPresent(e -> e.mode().forEach(m -> line("%s", m)));
    List<SubjectResult> accepted = t.subjects().stream().filter(SubjectResult::accepted).toList();
    List<SubjectResult> declined = t.subjects().stream().filter(s -> !s.accepted()).toList();
    int width = width(t.subjects().stream().map(SubjectResult::subject));
    String row = "%-10s %-" + width + "s %8s %8s %8s %8s  %s";
    line("");
    line(row, "operator", "what", "passed", "failed", "declined", "skipped", "worst error / bound");
    for (SubjectResult s : accepted) {
      Counts c = s.counts();
      line(
          row,
          s.operator(),
          s.subject(),
          c.passes(),
          c.failures(),
          c.declined(),
          c.skipped(),
          (s.provider() ? "" : Format.ratio(s.errors().worstRatio()))
              + (c.failures() > 0 ? "  FAILED" : ""));
    }
    if (!declined.isEmpty()) {
      line("");
      line("declined:");
      String reason = "%-10s %-" + width + "s %s";
      declined.forEach(
          s -> line(reason, s.operator(), s.subject(), String.join("; ", s.declinedBecause())));
    }
    models(t);
    t.extent().ifPresent(e -> coverage(t, e));
    failures(t);
    suggestion(t);
    line("");
    line("%s", t.verdict());
  }

  /// Model by model, a line for each spec.
  private void models(Tested t) {
    int width = width(t.models().keySet().stream().map(ModelResult::spec));
    String model = "";
    for (var e : t.models().entrySet()) {
      ModelResult m = e.getKey();
      if (!m.model().equals(model)) {
        model = m.model();
        line("");
        line("what %s needs:", model);
      }
      line("%-10s %-" + width + "s  %s", m.operator(), m.spec(), outcome(m, e.getValue()));
      m.tooLarge().forEach(l -> line("%10s too large to try: %s", "", l));
    }
  }

  private static String outcome(ModelResult m, SubjectResult s) {
    Counts c = s.counts();
    if (c.declined() > 0) {
      return "declined: " + String.join("; ", s.declinedBecause());
    }
    if (c.skipped() > 0) {
      return "NOT TRIED";
    }
    return Format.text(
        "%,d passed, %,d failed%s: %s",
        c.passes(),
        c.failures(),
        c.failures() > 0 ? ", so it is WRONG FOR THIS MODEL" : "",
        String.join(", ", m.tried()));
  }

  /// What was reached: a line for each operator, and what was not.
  private void coverage(Tested t, Extent extent) {
    line("");
    line("largest sizes that passed (in parentheses: of the models that people run):");
    for (CoverageTable.Operator o : extent.coverage().operators()) {
      line(
          "%-10s %s",
          o.name(),
          o.sizes().stream()
              .map(s ->
                  Format.text("%s %,d", s.name(), s.passed())
                      + (s.models().isPresent()
                          ? Format.text(" (%,d)", s.models().getAsLong())
                          : ""))
              .collect(Collectors.joining(", ")));
      line("%10s %,d of %,d pairs of features met", "", o.met(), o.possible());
    }
    line(
        "%d rules were checked in %d ways; not tested: %s",
        Extent.rules(t), Extent.checks(t).size(), String.join(", ", Extent.untested().keySet()));
    List<String> missing = extent.notReached(t);
    missing.stream().limit(NOT_REACHED).forEach(m -> line("not reached: %s", m));
    if (missing.size() > NOT_REACHED) {
      line("not reached: %,d more, which the files of --report name", missing.size() - NOT_REACHED);
    }
  }

  private static int width(Stream<String> words) {
    return words.mapToInt(String::length).max().orElse(0);
  }

  private void settings(Settings s) {
    line(
        "%s",
        s.replay()
            .map(r -> "replay of " + r)
            .orElse(
                String.format(
                    Locale.ROOT,
                    "%d tries for each rule and format, seed %d",
                    s.tries(),
                    s.seed())));
  }

  private void failures(Tested t) {
    Set<String> shown = new HashSet<>();
    for (TestResult test : t.tests()) {
      if (test.failure().isEmpty()) {
        continue;
      }
      Failure f = test.failure().get();
      if (shown.size() < IN_FULL && shown.add(f.operator() + " " + f.subject())) {
        line("");
        line("%s", f.message(t.replayCommand()));
      } else {
        line(
            "%s broken by provider %s: %s %s%n  %-9s %s%s",
            f.rule(),
            f.provider(),
            f.operator(),
            f.subject(),
            "replay",
            t.replayCommand(),
            f.replay());
      }
    }
  }

  /// Where declaration and offers differ: what would have been right.
  private void suggestion(Tested t) {
    if (t.supportFailed()) {
      line("");
      line("What it accepts here would be declared as");
      t.suggestion().forEach(l -> line("  %s", l));
    }
  }

  private void comparison(Comparison c) {
    settings(c.settings());
    String row =
        "%-10s %-"
            + width(c.differences().stream().map(Difference::subject))
            + "s %6s  %-12s %-12s %-12s %s";
    line("");
    line(
        row,
        "operator",
        "what",
        "cases",
        "difference",
        c.first(),
        c.second(),
        "where they differ most");
    for (Difference d : c.differences()) {
      if (d.cases() == 0 && d.broken().isEmpty()) {
        line(row, d.operator(), d.subject(), 0, d.declined(), "", "", "");
        continue;
      }
      line(
          row,
          d.operator(),
          d.subject(),
          d.cases(),
          d.most().map(m -> Format.ratio(m.ratio())).orElse("same bits"),
          Format.ratio(d.firstWorst()),
          Format.ratio(d.secondWorst()),
          d.most()
              .map(m -> String.format(Locale.ROOT, "%s: %s, %s", m.where(), m.first(), m.second()))
              .orElse(""));
      d.most().ifPresent(m -> line("%10s replay %s", "", m.replay()));
      if (!d.declined().isEmpty()) {
        line("%10s some %s", "", d.declined());
      }
      d.broken().ifPresent(b -> line("%10s BROKEN: %s", "", b));
    }
    line("");
    line(
        "Difference and errors are in units of the rule's bound; each provider may be 1 away from the truth.");
    long broken = c.differences().stream().filter(d -> d.broken().isPresent()).count();
    line(
        "%s",
        c.cases() == 0 && broken == 0
            ? "FAILED: no case that both run, so nothing was compared"
            : broken == 0
                ? Format.text(
                    "COMPARED: %s and %s on %,d cases, both within their bounds",
                    c.first(), c.second(), c.cases())
                : String.format(
                    Locale.ROOT,
                    "FAILED: a bound was broken, or a call failed, in %d of %d kinds of spec",
                    broken,
                    c.differences().size()));
  }

  private void line(String format, Object... arguments) {
    out.append(Format.text(format, arguments).stripTrailing()).append(System.lineSeparator());
  }
}

package dev.quern;

import dev.quern.discovery.Locations;
import dev.quern.spi.Platform;
import dev.quern.spi.Spec;
import dev.quern.spi.Variant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/// The tables of a report.
final class ReportText {
  private static final String NEW_LINE = System.lineSeparator();

  private ReportText() {}

  /// Platform, selection, and a row for each provider with its reason and remedy below.
  static String providers(Platform platform, String selection, List<ProviderEntry> entries) {
    Table table = new Table("provider", "priority", "spec", "state", "from");
    for (ProviderEntry e : entries) {
      boolean asked = !e.name().equals(ProviderEntry.UNNAMED);
      table.row(
          e.name(),
          asked ? Integer.toString(e.priority()) : "",
          asked ? Spec.text(e.specVersion()) : "",
          state(e.verdict()),
          Locations.forPeople(e.location()) + " (" + e.className() + ")");
      notes(table, e.verdict());
    }
    return "platform   "
        + platform
        + NEW_LINE
        + "selection  "
        + selection
        + NEW_LINE
        + NEW_LINE
        + (entries.isEmpty()
            ? "no provider was found on the class path or module path" + NEW_LINE
            : table.text());
  }

  /// A row for each spec, with who was asked before and why it was passed over.
  static String choices(List<Choice> choices) {
    if (choices.isEmpty()) {
      return "no operator was asked for" + NEW_LINE;
    }
    Table table = new Table("operator", "uses", "provider", "spec");
    for (Choice c : choices) {
      table.row(c.operator().id(), Integer.toString(c.uses()), c.provider(), c.spec());
      table.note(variants(c.variants()));
      for (Refusal r : c.refusals()) {
        table.note("not " + r.provider() + ": " + r.reason());
      }
    }
    return table.text();
  }

  /// `gemv exact-f32, from 4 rows gemm int8-sym-32`; `dot int8-sym-32 invariant`.
  static String variants(List<Variant> variants) {
    return variants.stream()
        .map(v ->
            (v.minRows() == 1 ? "" : "from " + v.minRows() + " rows ")
                + v.name()
                + " "
                + v.numerics()
                + (v.invariant() ? " invariant" : ""))
        .collect(Collectors.joining(", "));
  }

  private static String state(Verdict verdict) {
    return switch (verdict) {
      case Verdict.Ready _ -> "ready";
      case Verdict.Unavailable _ -> "unavailable";
      case Verdict.Rejected _ -> "rejected";
    };
  }

  private static void notes(Table table, Verdict verdict) {
    switch (verdict) {
      case Verdict.Ready(String detail) -> table.note(detail);
      case Verdict.Unavailable(String reason, String remedy) -> {
        table.note(reason);
        table.note(remedy.isEmpty() ? "no remedy on this machine" : "remedy: " + remedy);
      }
      case Verdict.Rejected(String reason, String remedy) -> {
        table.note(reason);
        table.note("remedy: " + remedy);
      }
    }
  }

  /// Aligned columns, with notes that span them.
  private static final class Table {
    private final List<String[]> rows = new ArrayList<>();

    Table(String... header) {
      rows.add(header);
    }

    void row(String... cells) {
      rows.add(cells);
    }

    void note(String text) {
      if (!text.isEmpty()) {
        rows.add(new String[] {text});
      }
    }

    String text() {
      int[] widths = new int[rows.getFirst().length];
      for (String[] row : rows) {
        for (int i = 0; row.length > 1 && i < row.length; i++) {
          widths[i] = Math.max(widths[i], row[i].length());
        }
      }
      StringBuilder text = new StringBuilder();
      for (String[] row : rows) {
        StringBuilder line = new StringBuilder(row.length == 1 ? "    " + row[0] : "");
        for (int i = 0; row.length > 1 && i < row.length; i++) {
          line.append(row[i]).repeat(' ', widths[i] - row[i].length() + 2);
        }
        text.append(line.toString().stripTrailing()).append(NEW_LINE);
      }
      return text.toString();
    }
  }
}

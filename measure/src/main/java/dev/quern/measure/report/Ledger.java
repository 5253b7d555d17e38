package dev.quern.measure.report;

import com.fasterxml.jackson.databind.JsonNode;
import dev.quern.Operator;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/// What computed a run: for every operator the provider and the kernels that the model was loaded
/// with, and how often they were called while it was timed. A model's kernels are chosen once, at
/// load; the calls show that these are what ran, and all of what ran.
///
/// @param lines the kernels, in the order in which the model asked for them
/// @param calls of each operator's kernels in the timed repetition, by [Operator#id()]
public record Ledger(List<Line> lines, Map<String, Long> calls) {
  /// A spec that the model uses.
  ///
  /// @param operator its [Operator#id()]
  /// @param provider who runs it
  /// @param spec what is computed
  /// @param uses kernels of that spec in the model
  /// @param variants ways of computing it, each with the number of rows from which it is taken
  public record Line(
      String operator, String provider, String spec, long uses, List<String> variants) {
    public Line {
      variants = List.copyOf(variants);
    }
  }

  private static final String AUTO = "auto";

  public Ledger {
    lines = List.copyOf(lines);
    calls = Map.copyOf(calls);
  }

  /// Reads `providers` and `kernelCalls` of a result of `quern bench --profile --json`.
  ///
  /// @param where what messages call the run
  static Ledger read(JsonNode result, String where) {
    JsonNode providers = result.path("providers");
    JsonNode counts = result.path("kernelCalls");
    if (!providers.isArray() || providers.isEmpty() || !counts.isObject()) {
      throw new ReportException(
          String.format(
              Locale.ROOT,
              "%s: no ledger of the kernels that ran, expected providers and kernelCalls; measure again",
              where));
    }
    List<Line> lines = new ArrayList<>();
    for (JsonNode p : providers) {
      List<String> variants = new ArrayList<>();
      for (JsonNode v : p.path("variants")) {
        variants.add(
            String.format(
                Locale.ROOT,
                "%s (%d+ rows, %s)",
                v.path("name").asText(),
                v.path("minRows").asInt(),
                v.path("numerics").asText()));
      }
      lines.add(
          new Line(
              p.path("operator").asText(),
              p.path("provider").asText(),
              p.path("spec").asText(),
              p.path("uses").asLong(),
              variants));
    }
    Map<String, Long> calls = new LinkedHashMap<>();
    counts.properties().forEach(e -> calls.put(e.getKey(), e.getValue().asLong()));
    return new Ledger(lines, calls);
  }

  /// Operators are those that the model's kernels are for, and those that were called: a model need
  /// not use every operator that there is.
  ///
  /// @param passes forward passes in the timed repetition
  /// @throws ReportException if an operator was called without a kernel, or has kernels and was
  ///   never called, or if linear kernels were called more or less often than the ledger's add up
  ///   to: once each in a pass
  void requireComplete(long passes, String where) {
    Set<String> operators = new LinkedHashSet<>(List.of(Operator.LINEAR.id()));
    lines.forEach(line -> operators.add(line.operator()));
    calls.forEach((operator, count) -> {
      if (count > 0) {
        operators.add(operator);
      }
    });
    for (String id : operators) {
      if (lines.stream().noneMatch(l -> l.operator().equals(id) && !l.variants().isEmpty())) {
        throw new ReportException(
            String.format(
                Locale.ROOT,
                "%s: the ledger has no kernel for %s, expected one for every operator that was called, and for linear; measure again",
                where,
                id));
      }
      if (calls.getOrDefault(id, 0L) < 1) {
        throw new ReportException(
            String.format(
                Locale.ROOT,
                "%s: the ledger counts no call of %s, expected those of every operator that it has kernels for; measure again",
                where,
                id));
      }
    }
    String linear = Operator.LINEAR.id();
    long kernels =
        lines.stream().filter(l -> l.operator().equals(linear)).mapToLong(Line::uses).sum();
    if (calls.get(linear) != kernels * passes) {
      throw new ReportException(
          String.format(
              Locale.ROOT,
              "%s: %d calls of linear kernels, expected %d: each of the ledger's %d in each of %d forward passes; measure again",
              where,
              calls.get(linear),
              kernels * passes,
              kernels,
              passes));
    }
  }

  /// A list of providers is a promise: nobody else runs anything, and the first of the list, unless
  /// it is optional, runs something.
  ///
  /// @param asked as `--provider`: `auto`, or names such as `kleidi?,vector,scalar`
  /// @throws ReportException if it is broken
  void requireRunBy(String asked, String where) {
    if (asked.equals(AUTO)) {
      return;
    }
    List<String> names = Arrays.stream(asked.split(",")).map(String::strip).toList();
    List<String> allowed = names.stream().map(n -> n.replace("?", "")).toList();
    for (Line line : lines) {
      if (!allowed.contains(line.provider())) {
        throw new ReportException(
            String.format(
                Locale.ROOT,
                "%s: %s ran %s %s, expected %s as the label says: the label would be wrong",
                where,
                line.provider(),
                line.operator(),
                line.spec(),
                String.join(" or ", allowed)));
      }
    }
    String first = names.getFirst();
    if (!first.endsWith("?") && lines.stream().noneMatch(l -> l.provider().equals(first))) {
      throw new ReportException(
          String.format(
              Locale.ROOT,
              "%s: %s ran nothing, but the label names it first: leave it out of --provider",
              where,
              first));
    }
  }

  /// What differs from another run's ledger, for people; empty if nothing does.
  String difference(Ledger other) {
    if (lines.size() != other.lines.size()) {
      return String.format(Locale.ROOT, "%d kernels and %d", lines.size(), other.lines.size());
    }
    for (int i = 0; i < lines.size(); i++) {
      if (!lines.get(i).equals(other.lines.get(i))) {
        return String.format(
            Locale.ROOT, "%s and %s", text(lines.get(i)), text(other.lines.get(i)));
      }
    }
    return calls.equals(other.calls)
        ? ""
        : String.format(Locale.ROOT, "calls %s and %s", calls, other.calls);
  }

  private static String text(Line line) {
    return String.format(
        Locale.ROOT,
        "%s by %s with %s",
        line.operator(),
        line.provider(),
        String.join(", ", line.variants()));
  }

  /// One line: for each operator the providers that ran it, with the number of kernels.
  public String summary() {
    Map<String, Map<String, Long>> uses = new LinkedHashMap<>();
    for (Line line : lines) {
      uses.computeIfAbsent(line.operator(), _ -> new LinkedHashMap<>())
          .merge(line.provider(), line.uses(), Long::sum);
    }
    List<String> parts = new ArrayList<>();
    uses.forEach((operator, by) -> {
      List<String> providers = new ArrayList<>();
      by.forEach(
          (provider, count) -> providers.add(String.format(Locale.ROOT, "%s %d", provider, count)));
      parts.add(operator + ": " + String.join(", ", providers));
    });
    return String.join("; ", parts);
  }
}

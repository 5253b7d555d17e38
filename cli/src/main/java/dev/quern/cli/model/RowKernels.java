package dev.quern.cli.model;

import dev.quern.Choice;
import dev.quern.KernelReport;
import dev.quern.Operator;
import dev.quern.spi.Variant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/// The kernels that calls with so many rows run on, for people and for programs.
///
/// @param report of the loaded model
/// @param rows of a call's x
public record RowKernels(KernelReport report, int rows) {

  /// Who runs such calls of a kernel: provider, variant and its numerics.
  static String kernel(Choice choice, int rows) {
    Variant variant = choice.variant(rows);
    return String.format(
        Locale.ROOT, "%s %s (%s)", choice.provider(), variant.name(), variant.numerics());
  }

  /// One line: for each operator the provider, the variant, its numerics, and in how many of the
  /// model's kernels.
  public String line() {
    Map<Operator<?, ?>, Map<String, Integer>> uses = new TreeMap<>();
    for (Choice choice : report.choices()) {
      uses.computeIfAbsent(choice.operator(), _ -> new LinkedHashMap<>())
          .merge(kernel(choice, rows), choice.uses(), Integer::sum);
    }
    List<String> parts = new ArrayList<>();
    uses.forEach((operator, kernels) ->
        parts.add(
            kernels.entrySet().stream()
                .map(e -> e.getKey() + " x " + e.getValue())
                .collect(Collectors.joining(", ", operator.id() + ": ", ""))));
    return String.join("; ", parts);
  }

  /// What the linear kernels round, in the order in which the model asked for them.
  public String numerics() {
    return report.choices().stream()
        .filter(c -> c.operator() == Operator.LINEAR)
        .map(c -> c.variant(rows).numerics().toString())
        .distinct()
        .collect(Collectors.joining(", "));
  }

  /// An object for each spec.
  public List<Map<String, Object>> json() {
    List<Map<String, Object>> list = new ArrayList<>();
    for (Choice choice : report.choices()) {
      Variant variant = choice.variant(rows);
      Map<String, Object> map = new LinkedHashMap<>();
      map.put("operator", choice.operator().id());
      map.put("spec", choice.spec());
      map.put("uses", choice.uses());
      map.put("provider", choice.provider());
      map.put("variant", variant.name());
      map.put("numerics", variant.numerics().toString());
      list.add(map);
    }
    return list;
  }
}

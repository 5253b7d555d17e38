package dev.quern;

import dev.quern.text.Nearest;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The value of `quern.assert-no-fallback`: operators whose specs must run on the first provider
/// that the rule of their operator asks. Under `auto` that is the one of the highest priority, of
/// those that run here or would after a remedy; one that other hardware alone would help is not
/// missed. A name with `?` counts too, unless it is such a one.
///
/// @param statedAs what the user calls the property
/// @param value as stated; empty where it is not
/// @param operators those that it names
record NoFallback(String statedAs, String value, Set<Operator<?, ?>> operators) {
  private static final String ALL = "all";

  /// Reads the property.
  ///
  /// @throws SelectionException if it is malformed
  static NoFallback parse(KernelOptions options) {
    String property = KernelOptions.ASSERT_NO_FALLBACK;
    String value = options.properties().get(property);
    String statedAs = options.stated(property);
    if (value == null) {
      return new NoFallback(statedAs, "", Set.of());
    }
    if (value.strip().equals(ALL)) {
      return new NoFallback(statedAs, value, new TreeSet<>(Operator.values()));
    }
    Set<Operator<?, ?>> operators = new TreeSet<>();
    for (String id : value.strip().split("\\s*,\\s*", -1)) {
      operators.add(Operator.byId(id).orElseThrow(() -> malformed(statedAs, value, id)));
    }
    return new NoFallback(statedAs, value, operators);
  }

  private static SelectionException malformed(String statedAs, String value, String id) {
    List<String> ids = Operator.values().stream().map(Operator::id).toList();
    List<String> known = Stream.concat(Stream.of(ALL), ids.stream()).toList();
    return new SelectionException(
        String.format(
            Locale.ROOT,
            "%s=%s: no operator is called '%s'%s, expected %s, or of %s those that must not fall back",
            statedAs,
            value,
            id,
            Nearest.hint(id, known),
            ALL,
            String.join(",", ids)));
  }

  /// Why a choice is a fall-back: a line for each provider that should have run the spec before.
  /// None where it is no fall-back, or one that is not forbidden.
  ///
  /// @param chosen who is to run it
  /// @param refusals of those that were asked before
  /// @param entries all that was found
  List<String> lost(
      Operator<?, ?> operator,
      SelectionRule rule,
      ProviderEntry chosen,
      List<Refusal> refusals,
      List<ProviderEntry> entries) {
    if (!operators.contains(operator)) {
      return List.of();
    }
    List<String> lost = new ArrayList<>();
    entries.stream()
        .filter(e -> !e.ready() && e.mightRun() && before(rule, e, chosen))
        .forEach(e -> lost.add(e.name() + ": " + e.verdict().text()));
    refusals.forEach(r -> lost.add(r.provider() + ": " + r.reason()));
    return lost;
  }

  /// Where an entry could not be asked for its priority, it may have been the highest.
  private static boolean before(SelectionRule rule, ProviderEntry entry, ProviderEntry chosen) {
    if (rule.auto()) {
      return entry.specVersion() == 0 || entry.priority() > chosen.priority();
    }
    return rule.wanted().stream()
        .takeWhile(w -> !w.name().equals(chosen.name()))
        .anyMatch(w -> w.name().equals(entry.name()));
  }

  /// What fails the start.
  ///
  /// @param lost at least one line
  /// @param report the whole table
  SelectionException failure(
      Operator<?, ?> operator, Object spec, String chosen, List<String> lost, String report) {
    String newLine = System.lineSeparator();
    return new SelectionException(
        lost.stream()
            .map(line -> "  " + line + newLine)
            .collect(
                Collectors.joining(
                    "",
                    String.format(
                        Locale.ROOT,
                        "%s=%s: %s would run %s, expected no fall-back:%n",
                        statedAs,
                        value,
                        chosen,
                        spec),
                    String.format(
                        Locale.ROOT,
                        "  Remedy: mend this, name %s first in %s, or leave %s out of %s%n%n%s",
                        chosen,
                        operator.property(),
                        operator,
                        statedAs,
                        report))));
  }
}

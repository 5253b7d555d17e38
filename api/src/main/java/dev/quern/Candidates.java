package dev.quern;

import dev.quern.SelectionRule.Wanted;
import dev.quern.spi.KernelSet;
import dev.quern.text.Nearest;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// For each operator the providers to ask, in order: the settings applied to what was found.
///
/// @param byOperator what ready providers offer, by their names, in the order to ask them
/// @param warnings lines about providers that were passed over and might have run
record Candidates(Map<Operator<?, ?>, Map<String, KernelSet>> byOperator, List<String> warnings) {

  /// Applies the settings.
  ///
  /// @throws SelectionException if a provider that was promised isn't ready, or `auto` can't decide
  static Candidates resolve(SelectionSettings settings, Catalog catalog) {
    Resolution resolution = new Resolution(settings, catalog);
    Map<SelectionRule, Map<String, KernelSet>> byRule = new LinkedHashMap<>();
    for (SelectionRule rule : settings.distinctRules()) {
      if (!rule.auto() || settings.usesAuto()) {
        byRule.put(rule, rule.auto() ? resolution.automatic() : resolution.listed(rule));
      }
    }
    if (!resolution.problems.isEmpty()) {
      throw new SelectionException(
          String.join(System.lineSeparator(), resolution.problems)
              + System.lineSeparator()
              + System.lineSeparator()
              + ReportText.providers(catalog.platform(), settings.text(), catalog.entries()));
    }
    Map<Operator<?, ?>, Map<String, KernelSet>> byOperator = new TreeMap<>();
    settings.rules().forEach((operator, rule) -> byOperator.put(operator, byRule.get(rule)));
    return new Candidates(byOperator, List.copyOf(resolution.warnings));
  }

  /// All problems are collected, so that a user meets them at once.
  private static final class Resolution {
    private final Catalog catalog;
    private final List<ProviderEntry> entries;
    private final Set<String> problems = new LinkedHashSet<>();
    private final Set<String> warnings = new LinkedHashSet<>();

    Resolution(SelectionSettings settings, Catalog catalog) {
      this.catalog = catalog;
      this.entries = catalog.entries();
    }

    Map<String, KernelSet> automatic() {
      Map<String, KernelSet> ranked = new LinkedHashMap<>();
      ProviderEntry previous = null;
      for (ProviderEntry entry : entries) {
        if (!entry.ready()) {
          warn(entry);
          continue;
        }
        if (previous != null && previous.priority() == entry.priority()) {
          problems.add(
              String.format(
                  Locale.ROOT,
                  "quern.provider=auto: %s and %s both have priority %d; leave one of these JARs, or set quern.provider=%s,%s",
                  previous.label(),
                  entry.label(),
                  entry.priority(),
                  previous.name(),
                  entry.name()));
        }
        previous = entry;
        ranked.put(entry.name(), catalog.kernels(entry.name()).orElseThrow());
      }
      if (ranked.isEmpty()) {
        problems.add(
            "quern.provider=auto: no provider is ready; add quern-provider-scalar to the class path or module path");
      }
      return ranked;
    }

    Map<String, KernelSet> listed(SelectionRule rule) {
      Map<String, KernelSet> listed = new LinkedHashMap<>();
      for (Wanted wanted : rule.wanted()) {
        Optional<KernelSet> kernels = catalog.kernels(wanted.name());
        if (kernels.isPresent()) {
          listed.put(wanted.name(), kernels.get());
        } else if (wanted.optional()) {
          passOver(rule, wanted);
        } else {
          problems.add(broken(rule, wanted));
        }
      }
      if (listed.isEmpty() && problems.isEmpty()) {
        problems.add(rule + ": none of these providers is ready; " + suggestion(rule));
      }
      return listed;
    }

    private void passOver(SelectionRule rule, Wanted wanted) {
      List<ProviderEntry> named = named(wanted.name());
      named.forEach(this::warn);
      if (named.isEmpty()) {
        Nearest.to(wanted.name(), names())
            .ifPresent(near ->
                warnings.add(
                    String.format(
                        Locale.ROOT,
                        "%s: no provider is called %s; did you mean %s?",
                        rule,
                        wanted.name(),
                        near)));
      }
    }

    /// A provider that is unavailable for good, as on other hardware, is nothing to warn of.
    private void warn(ProviderEntry entry) {
      if (entry.mightRun()) {
        warnings.add("provider " + entry.label() + " is passed over, " + entry.verdict().text());
      }
    }

    private String broken(SelectionRule rule, Wanted wanted) {
      List<ProviderEntry> named = named(wanted.name());
      String what =
          named.isEmpty()
              ? unknown(wanted.name())
              : named.stream()
                  .map(e -> "provider " + e.label() + " is " + e.verdict().text())
                  .collect(Collectors.joining("; "));
      return rule + ": " + what + System.lineSeparator() + "  Or " + suggestion(rule);
    }

    private String unknown(String name) {
      String text = "no provider is called " + name;
      String hint = Nearest.hint(name, names());
      List<ProviderEntry> unnamed = named(ProviderEntry.UNNAMED);
      if (!hint.isEmpty()) {
        return text + hint;
      }
      if (unnamed.isEmpty()) {
        return text + ", add its JAR to the class path or module path";
      }
      return text
          + "; it may be one of these:"
          + unnamed.stream()
              .map(e -> System.lineSeparator() + "  " + e.label() + " is " + e.verdict().text())
              .collect(Collectors.joining());
    }

    /// The rule with `?` at what is not ready and the other ready providers behind it.
    private String suggestion(SelectionRule rule) {
      Stream<String> stated =
          rule.wanted().stream()
              .map(w -> {
                boolean ready = catalog.ready(w.name()).isPresent();
                boolean typo = named(w.name()).isEmpty();
                String name = typo ? Nearest.to(w.name(), names()).orElse(w.name()) : w.name();
                return ready || catalog.ready(name).isPresent() ? name : name + "?";
              });
      Stream<String> others =
          entries.stream().filter(ProviderEntry::ready).map(ProviderEntry::name);
      return String.format(
          Locale.ROOT,
          "set %s=%s, or %s",
          rule.property(),
          Stream.concat(stated, others).distinct().collect(Collectors.joining(",")),
          rule.property() + "=" + SelectionRule.AUTO);
    }

    private List<ProviderEntry> named(String name) {
      return entries.stream().filter(e -> e.name().equals(name)).toList();
    }

    private Set<String> names() {
      return entries.stream()
          .map(ProviderEntry::name)
          .filter(n -> !n.equals(ProviderEntry.UNNAMED))
          .collect(Collectors.toSet());
    }
  }
}

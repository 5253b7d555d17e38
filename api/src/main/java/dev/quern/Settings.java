package dev.quern;

import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.text.Nearest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The selection properties, read.
///
/// @param general the value of `quern.provider`
/// @param rules for each operator its own rule, else the general one
/// @param exactOnly `quern.numerics=exact`
/// @param text all of it in one line, for reports
record Settings(Rule general, Map<Operator, Rule> rules, boolean exactOnly, String text) {
  private static final String ANY = "any";
  private static final String EXACT = "exact";

  /// Reads the properties.
  ///
  /// @throws SelectionException if one is malformed
  static Settings parse(Map<String, String> properties) {
    Map<String, Operator> byProperty = new TreeMap<>();
    for (Operator operator : Operator.values()) {
      byProperty.put(operator.property(), operator);
    }
    Rule general =
        Rule.parse(
            KernelOptions.PROVIDER, properties.getOrDefault(KernelOptions.PROVIDER, Rule.AUTO));
    Map<Operator, Rule> rules = new EnumMap<>(Operator.class);
    for (Operator operator : Operator.values()) {
      rules.put(operator, general);
    }
    List<String> text = new ArrayList<>(List.of(general.toString()));
    for (String key : new TreeSet<>(properties.keySet())) {
      if (key.startsWith(KernelOptions.PROVIDER + ".")) {
        Operator operator = byProperty.get(key);
        if (operator == null) {
          throw new SelectionException(
              String.format(
                  Locale.ROOT,
                  "%s: no such operator%s, expected one of %s",
                  key,
                  Nearest.hint(key, byProperty.keySet()),
                  String.join(", ", byProperty.keySet())));
        }
        rules.put(operator, Rule.parse(key, properties.get(key)));
        text.add(rules.get(operator).toString());
      }
    }
    for (String key : List.of(KernelOptions.NUMERICS, KernelOptions.CPU_MASK)) {
      if (properties.containsKey(key)) {
        text.add(key + "=" + properties.get(key));
      }
    }
    return new Settings(
        general,
        rules,
        exactOnly(properties.getOrDefault(KernelOptions.NUMERICS, ANY)),
        String.join(" ", text));
  }

  private static boolean exactOnly(String value) {
    return switch (value.strip()) {
      case ANY -> false;
      case EXACT -> true;
      default ->
          throw new SelectionException(
              String.format(
                  Locale.ROOT,
                  "%s=%s%s, expected any or exact",
                  KernelOptions.NUMERICS,
                  value,
                  Nearest.hint(value.strip(), List.of(ANY, EXACT))));
    };
  }

  /// Every rule that was stated, once.
  List<Rule> distinctRules() {
    return Stream.concat(Stream.of(general), rules.values().stream()).distinct().toList();
  }

  /// Whether any operator is left to `auto`.
  boolean usesAuto() {
    return rules.values().stream().anyMatch(Rule::auto);
  }

  /// The spec with the arithmetics that `quern.numerics` leaves.
  ///
  /// @throws SelectionException if it leaves none
  LinearSpec restrict(LinearSpec spec) {
    Objects.requireNonNull(spec, "spec");
    if (!exactOnly) {
      return spec;
    }
    if (!spec.tolerated().contains(Numerics.EXACT_F32)) {
      throw new SelectionException(
          String.format(
              Locale.ROOT,
              "linear: %s=%s leaves no arithmetic of %s; set it to %s, or tolerate %s in the spec",
              KernelOptions.NUMERICS,
              EXACT,
              spec,
              ANY,
              Numerics.EXACT_F32));
    }
    return spec.withTolerated(Set.of(Numerics.EXACT_F32));
  }

  /// Warnings about properties that look like a known one and aren't.
  ///
  /// @param providers the names of the providers that were found: `quern.<name>.*` is theirs
  static List<String> nearMisses(Map<String, String> properties, Set<String> providers) {
    Set<String> known =
        Stream.concat(
                Stream.of("provider", "numerics", "cpu.mask", "selfcheck.file"),
                Arrays.stream(Operator.values()).map(o -> "provider." + o.id()))
            .collect(Collectors.toCollection(TreeSet::new));
    List<String> warnings = new ArrayList<>();
    for (String key : new TreeSet<>(properties.keySet())) {
      String name = key.substring(KernelOptions.PREFIX.length());
      int dot = name.indexOf('.');
      String owner = dot < 0 ? name : name.substring(0, dot);
      if (known.contains(name) || providers.contains(owner)) {
        continue;
      }
      Optional<String> meant = Nearest.to(name, known);
      if (meant.isEmpty() && dot > 0) {
        meant = Nearest.to(owner, providers).map(p -> p + name.substring(dot));
      }
      meant.ifPresent(m ->
          warnings.add(
              String.format(
                  Locale.ROOT,
                  "property %s has no effect; did you mean %s%s?",
                  key,
                  KernelOptions.PREFIX,
                  m)));
    }
    return warnings;
  }
}

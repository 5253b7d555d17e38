package dev.quern;

import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.spi.Variant;
import dev.quern.text.Nearest;
import dev.quern.text.OneLine;
import java.util.ArrayList;
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
/// @param invariantOnly `quern.numerics=invariant`
/// @param noFallback `quern.assert-no-fallback`
/// @param text all of it in one line, for reports
record SelectionSettings(
    SelectionRule general,
    Map<Operator<?, ?>, SelectionRule> rules,
    boolean exactOnly,
    boolean invariantOnly,
    NoFallback noFallback,
    String text) {
  private static final String ANY = "any";
  private static final String EXACT = "exact";
  private static final String INVARIANT = "invariant";

  /// Reads the properties.
  ///
  /// @throws SelectionException if one is malformed
  static SelectionSettings parse(KernelOptions options) {
    Map<String, String> properties = options.properties();
    Map<String, Operator<?, ?>> byProperty = new TreeMap<>();
    for (Operator<?, ?> operator : Operator.values()) {
      byProperty.put(operator.property(), operator);
    }
    SelectionRule general =
        SelectionRule.parse(
            options.stated(KernelOptions.PROVIDER),
            properties.getOrDefault(KernelOptions.PROVIDER, SelectionRule.AUTO));
    Map<Operator<?, ?>, SelectionRule> rules = new TreeMap<>();
    for (Operator<?, ?> operator : Operator.values()) {
      rules.put(operator, general);
    }
    List<String> text = new ArrayList<>(List.of(general.toString()));
    for (String key : new TreeSet<>(properties.keySet())) {
      if (key.startsWith(KernelOptions.PROVIDER + ".")) {
        Operator<?, ?> operator = byProperty.get(key);
        if (operator == null) {
          throw noSuchOperator(options, key, byProperty.keySet());
        }
        rules.put(operator, SelectionRule.parse(options.stated(key), properties.get(key)));
        text.add(rules.get(operator).toString());
      }
    }
    for (String key :
        List.of(KernelOptions.ASSERT_NO_FALLBACK, KernelOptions.NUMERICS, KernelOptions.CPU_MASK)) {
      if (properties.containsKey(key)) {
        text.add(options.stated(key) + "=" + OneLine.of(properties.get(key)));
      }
    }
    Set<String> numerics =
        numerics(
            options.stated(KernelOptions.NUMERICS),
            properties.getOrDefault(KernelOptions.NUMERICS, ANY));
    return new SelectionSettings(
        general,
        rules,
        numerics.contains(EXACT),
        numerics.contains(INVARIANT),
        NoFallback.parse(options),
        String.join(" ", text));
  }

  private static SelectionException noSuchOperator(
      KernelOptions options, String key, Set<String> operators) {
    boolean variable = options.fromEnvironment().contains(key);
    Set<String> names =
        operators.stream()
            .map(o -> variable ? Variables.of(o) : o)
            .collect(Collectors.toCollection(TreeSet::new));
    Set<String> meant = new TreeSet<>(names);
    if (variable) {
      meant.add(Variables.PROVIDER_PATH);
    }
    return new SelectionException(
        String.format(
            Locale.ROOT,
            "%s: no such operator%s, expected one of %s",
            options.stated(key),
            Nearest.hint(options.stated(key), meant),
            String.join(", ", names)));
  }

  private static Set<String> numerics(String statedAs, String value) {
    if (value.strip().equals(ANY)) {
      return Set.of();
    }
    Set<String> asked = new TreeSet<>(List.of(value.strip().split("\\s*,\\s*", -1)));
    for (String one : asked) {
      if (!List.of(EXACT, INVARIANT).contains(one)) {
        throw new SelectionException(
            String.format(
                Locale.ROOT,
                "%s=%s%s, expected any, exact, invariant or exact,invariant",
                statedAs,
                value,
                Nearest.hint(one, List.of(ANY, EXACT, INVARIANT))));
      }
    }
    return asked;
  }

  /// Every rule that was stated, once.
  List<SelectionRule> distinctRules() {
    return Stream.concat(Stream.of(general), rules.values().stream()).distinct().toList();
  }

  /// Whether any operator is left to `auto`.
  boolean usesAuto() {
    return rules.values().stream().anyMatch(SelectionRule::auto);
  }

  /// Why an offer of these variants can't be taken, if `quern.numerics` forbids it.
  Optional<String> forbids(List<Variant> variants) {
    List<String> others = variants.stream().filter(v -> !v.invariant()).map(Variant::name).toList();
    return !invariantOnly || others.isEmpty()
        ? Optional.empty()
        : Optional.of(
            String.format(
                Locale.ROOT,
                "invariant results (P21), which %s asks for, are not promised by %s",
                KernelOptions.NUMERICS,
                String.join(", ", others)));
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
  static List<String> nearMisses(KernelOptions options, Set<String> providers) {
    Set<String> known =
        Stream.concat(
                Stream.of(
                    "provider",
                    "assert-no-fallback",
                    "numerics",
                    "cpu.mask",
                    "selfcheck.file",
                    "hugepages"),
                Operator.values().stream().map(o -> "provider." + o.id()))
            .collect(Collectors.toCollection(TreeSet::new));
    List<String> warnings = new ArrayList<>();
    for (String key : new TreeSet<>(options.properties().keySet())) {
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
      boolean variable = options.fromEnvironment().contains(key);
      meant
          .map(m -> KernelOptions.PREFIX + m)
          .ifPresent(m ->
              warnings.add(
                  String.format(
                      Locale.ROOT,
                      "%s %s has no effect; did you mean %s?",
                      variable ? "environment variable" : "property",
                      options.stated(key),
                      variable ? Variables.of(m) : m)));
    }
    return warnings;
  }
}

package dev.quern;

import dev.quern.spi.Platform;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/// Who runs what, and why not someone else: a snapshot.
///
/// @param platform the platform that providers were asked about
/// @param selection the selection properties in effect
/// @param providers all that was found, ready or not
/// @param choices the specs that the application asked for, in that order
/// @since 0.1
/// @stability api
public record KernelReport(
    Platform platform, String selection, List<ProviderEntry> providers, List<Choice> choices) {

  public KernelReport {
    Objects.requireNonNull(platform, "platform");
    Objects.requireNonNull(selection, "selection");
    providers = List.copyOf(providers);
    choices = List.copyOf(choices);
  }

  /// The whole table, for people.
  public String text() {
    return ReportText.providers(platform, selection, providers)
        + System.lineSeparator()
        + ReportText.choices(choices);
  }

  /// One line: for each operator the providers that run it, with the number of uses, such as
  /// `linear: kleidi 112, scalar 1; attention: vector 1`.
  public String summary() {
    if (choices.isEmpty()) {
      return "no operator was asked for; ready: "
          + providers.stream()
              .filter(ProviderEntry::ready)
              .map(ProviderEntry::name)
              .collect(Collectors.joining(", "));
    }
    Map<Operator<?, ?>, Map<String, Integer>> uses = new LinkedHashMap<>();
    for (Operator<?, ?> operator : Operator.values()) {
      for (Choice choice : choices) {
        if (choice.operator() == operator) {
          uses.computeIfAbsent(operator, _ -> new LinkedHashMap<>())
              .merge(choice.provider(), choice.uses(), Integer::sum);
        }
      }
    }
    return uses.entrySet().stream()
        .map(e ->
            e.getValue().entrySet().stream()
                .map(u -> u.getKey() + " " + u.getValue())
                .collect(Collectors.joining(", ", e.getKey() + ": ", "")))
        .collect(Collectors.joining("; "));
  }

  /// For an application's own tests: fails if anything that was asked for runs on another provider.
  ///
  /// @param provider the provider that is to run everything
  /// @param operators the operators that it is to run; none means all that were asked for
  /// @throws AssertionError if another provider runs one of their specs, or if nothing was asked
  ///   for, since then the check would prove nothing
  public void assertNoFallback(String provider, Operator<?, ?>... operators) {
    Set<Operator<?, ?>> checked =
        operators.length == 0
            ? choices.stream().map(Choice::operator).collect(Collectors.toCollection(TreeSet::new))
            : new TreeSet<>(Arrays.asList(operators));
    List<Operator<?, ?>> unused =
        checked.stream().filter(o -> choices.stream().noneMatch(c -> c.operator() == o)).toList();
    if (checked.isEmpty() || !unused.isEmpty()) {
      throw new AssertionError(
          String.format(
              Locale.ROOT,
              "assertNoFallback(%s): %s was asked for yet; load a model first",
              provider,
              unused.isEmpty()
                  ? "no operator"
                  : "no "
                      + unused.stream().map(Operator::id).collect(Collectors.joining(", no "))));
    }
    List<Choice> lost =
        choices.stream()
            .filter(c -> checked.contains(c.operator()) && !c.provider().equals(provider))
            .toList();
    if (!lost.isEmpty()) {
      throw new AssertionError(
          lost.stream()
              .map(c -> "  " + c.operator() + ": " + loss(c, provider))
              .collect(
                  Collectors.joining(
                      System.lineSeparator(),
                      String.format(Locale.ROOT, "%s does not run:%n", provider),
                      System.lineSeparator() + System.lineSeparator() + text())));
    }
  }

  private String loss(Choice choice, String provider) {
    String why =
        choice.refusals().stream()
            .filter(r -> r.provider().equals(provider))
            .map(Refusal::reason)
            .findFirst()
            .orElseGet(() -> whyNotAsked(choice, provider));
    return String.format(
        Locale.ROOT, "%s runs %s (%s: %s)", choice.provider(), choice.spec(), provider, why);
  }

  private String whyNotAsked(Choice choice, String provider) {
    return providers.stream()
        .filter(e -> e.name().equals(provider))
        .map(e ->
            e.ready()
                ? String.format(
                    Locale.ROOT, "it is not asked before %s under %s", choice.provider(), selection)
                : e.verdict().text())
        .findFirst()
        .orElse("no provider of that name was found");
  }
}

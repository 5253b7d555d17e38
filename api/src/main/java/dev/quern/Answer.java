package dev.quern;

import dev.quern.discovery.Guard;
import dev.quern.op.Numerics;
import dev.quern.spi.KernelSet;
import dev.quern.spi.Offer;
import dev.quern.spi.Variant;
import dev.quern.text.Failures;
import dev.quern.text.OneLine;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/// A provider's offer, held against the contract.
sealed interface Answer<K> {
  int NAME_CHARACTERS = 100;

  /// It runs the spec.
  record Took<K>(K kernel, List<Variant> variants) implements Answer<K> {}

  /// It declined.
  record Refused<K>(String reason) implements Answer<K> {}

  /// It broke the contract.
  ///
  /// @param reason what it did, with the number of the rule
  /// @param cause what it threw; null where it threw nothing
  record Broke<K>(String reason, Throwable cause) implements Answer<K> {}

  /// Asks for a spec, within the guard's limit.
  static <S, K> Answer<K> of(KernelSet kernels, Operator<S, K> operator, S spec, Guard guard) {
    Set<Numerics> tolerated = operator.tolerated(spec);
    Class<K> type = operator.kernelType();
    Guard.Outcome<Offer<K>> outcome = guard.ask(() -> operator.ask(kernels, spec));
    if (outcome.thrown() != null) {
      return new Broke<>(
          Failures.threw(outcome.thrown()) + " instead of declining (P4)", outcome.thrown());
    }
    return switch (outcome.value()) {
      case null -> new Broke<>("offered null instead of accepting or declining (P4)", null);
      case Offer.Declined<K> no -> new Refused<>(no.reason());
      case Offer.Accepted<K>(Object kernel, _) when !type.isInstance(kernel) ->
          new Broke<>(
              String.format(
                  Locale.ROOT,
                  "accepted with a %s, expected a %s (P4)",
                  OneLine.of(kernel.getClass().getName(), NAME_CHARACTERS),
                  type.getSimpleName()),
              null);
      case Offer.Accepted<K> yes -> {
        List<Variant> variants = yes.variants().stream().map(Answer::shown).toList();
        for (Variant v : variants) {
          if (!tolerated.contains(v.numerics())) {
            yield new Broke<>(
                String.format(
                    Locale.ROOT,
                    "offered variant %s with numerics %s where %s is tolerated (P6)",
                    v.name(),
                    OneLine.of(v.numerics().id(), NAME_CHARACTERS),
                    ids(tolerated)),
                null);
          }
        }
        yield new Took<>(yes.kernel(), variants);
      }
    };
  }

  /// A variant by a name that fits a table.
  private static Variant shown(Variant v) {
    return new Variant(
        OneLine.of(v.name(), NAME_CHARACTERS), v.minRows(), v.numerics(), v.invariant());
  }

  private static String ids(Set<Numerics> numerics) {
    return numerics.stream().map(Numerics::id).sorted().collect(Collectors.joining("|"));
  }
}

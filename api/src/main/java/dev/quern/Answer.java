package dev.quern;

import dev.quern.op.Numerics;
import dev.quern.spi.KernelProvider;
import dev.quern.spi.Offer;
import dev.quern.spi.Variant;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/// A provider's offer, held against the contract.
sealed interface Answer<K> {

  /// It runs the spec.
  record Took<K>(K kernel, List<Variant> variants) implements Answer<K> {}

  /// It declined.
  record Refused<K>(String reason) implements Answer<K> {}

  /// It broke the contract.
  ///
  /// @param reason what it did, with the number of the rule
  /// @param cause what it threw; null where it threw nothing
  record Broke<K>(String reason, Throwable cause) implements Answer<K> {}

  /// Asks.
  ///
  /// @param tolerated the arithmetics that its variants may have
  static <K> Answer<K> of(
      KernelProvider provider, Set<Numerics> tolerated, Function<KernelProvider, Offer<K>> ask) {
    try {
      return switch (ask.apply(provider)) {
        case null -> new Broke<>("offered null instead of accepting or declining (P4)", null);
        case Offer.Declined<K> no -> new Refused<>(no.reason());
        case Offer.Accepted<K> yes -> {
          for (Variant v : yes.variants()) {
            if (!tolerated.contains(v.numerics())) {
              yield new Broke<>(
                  String.format(
                      Locale.ROOT,
                      "offered variant %s with numerics %s where %s is tolerated (P6)",
                      v.name(),
                      v.numerics(),
                      ids(tolerated)),
                  null);
            }
          }
          yield new Took<>(yes.kernel(), yes.variants());
        }
      };
    } catch (Throwable e) {
      return new Broke<>("threw " + Failures.text(e) + " instead of declining (P4)", e);
    }
  }

  private static String ids(Set<Numerics> numerics) {
    return numerics.stream().map(Numerics::id).sorted().collect(Collectors.joining("|"));
  }
}

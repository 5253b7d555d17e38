package dev.quern;

import dev.quern.spi.Variant;
import java.util.List;
import java.util.Locale;
import java.util.Objects;

/// Who runs a spec, and who was asked before.
///
/// @param operator the operator
/// @param spec the spec as text, after `quern.numerics` was applied
/// @param uses how often the application asked for it
/// @param provider name of the provider that runs it
/// @param variants that provider's variants, by rising `minRows`
/// @param refusals the providers that were asked before, in that order
/// @since 0.1
/// @stability api
public record Choice(
    Operator<?, ?> operator,
    String spec,
    int uses,
    String provider,
    List<Variant> variants,
    List<Refusal> refusals) {
  public Choice {
    Objects.requireNonNull(operator, "operator");
    Objects.requireNonNull(spec, "spec");
    Objects.requireNonNull(provider, "provider");
    variants = List.copyOf(variants);
    refusals = List.copyOf(refusals);
  }

  /// The variant that a call runs on.
  ///
  /// @param rows of its x, at least 1
  public Variant variant(int rows) {
    return variants.stream()
        .filter(v -> v.minRows() <= rows)
        .reduce((_, last) -> last)
        .orElseThrow(() ->
            new IllegalArgumentException(
                String.format(
                    Locale.ROOT, "%s %s: no variant for %d rows", operator.id(), spec, rows)));
  }
}

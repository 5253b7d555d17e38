package dev.quern.spi;

import java.util.List;
import java.util.Locale;
import java.util.Objects;

/// A provider's answer to a spec: capability, construction and reason in one, so that they can't
/// disagree.
///
/// @param <K> the kernel, or for linear the packer
/// @since 0.1
/// @stability contract
public sealed interface Offer<K> {
  /// The provider runs the spec.
  ///
  /// @param kernel does it
  /// @param variants its variants by rising `minRows`, the first with `minRows` 1
  record Accepted<K>(K kernel, List<Variant> variants) implements Offer<K> {
    public Accepted {
      Objects.requireNonNull(kernel, "kernel");
      variants = List.copyOf(variants);
      if (variants.isEmpty() || variants.getFirst().minRows() != 1) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "offer: variants=%s, expected at least one, the first with minRows=1",
                variants));
      }
      for (int i = 1; i < variants.size(); i++) {
        if (variants.get(i).minRows() <= variants.get(i - 1).minRows()) {
          throw new IllegalArgumentException(
              String.format(Locale.ROOT, "offer: variants=%s, expected rising minRows", variants));
        }
      }
    }
  }

  /// The provider does not run the spec. Not an error: the next provider is asked.
  ///
  /// @param reason why, for example `no kernel for Q5_1`; not empty
  record Declined<K>(String reason) implements Offer<K> {
    public Declined {
      if (reason.isBlank()) {
        throw new IllegalArgumentException("offer: declined without a reason");
      }
    }
  }

  /// An offer with one variant for every number of rows.
  static <K> Offer<K> accepted(K kernel, Variant variant) {
    return new Accepted<>(kernel, List.of(variant));
  }

  /// A refusal with its reason.
  static <K> Offer<K> declined(String reason) {
    return new Declined<>(reason);
  }
}

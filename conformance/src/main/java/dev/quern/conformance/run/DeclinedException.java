package dev.quern.conformance.run;

import dev.quern.QuernException;
import dev.quern.spi.Offer;

/// The provider declined a case's spec. It ends the case, which is counted as declined.
public final class DeclinedException extends QuernException {
  private static final long serialVersionUID = 1;

  /// @param reason the provider's
  public DeclinedException(String reason) {
    super("declined: " + reason);
  }

  /// What was offered.
  ///
  /// @throws DeclinedException if nothing was
  public static <K> Offer.Accepted<K> accepted(Offer<K> offer) {
    return switch (offer) {
      case Offer.Accepted<K> a -> a;
      case Offer.Declined<K> d -> throw new DeclinedException(d.reason());
    };
  }
}

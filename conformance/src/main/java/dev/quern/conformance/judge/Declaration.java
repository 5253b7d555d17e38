package dev.quern.conformance.judge;

import dev.quern.spi.Platform;
import java.util.List;
import java.util.Map;

/// What a provider's author declares that it accepts.
///
/// @since 0.1
/// @stability api
public interface Declaration {
  /// A spec, in the declaration's terms.
  ///
  /// @param operator the operator
  /// @param names for linear format and numerics, for attention the cache format, for rope the
  ///   pairing
  /// @param sizes the spec's sizes by name
  record Query(String operator, List<String> names, Map<String, Long> sizes) {}

  /// Where it was read from.
  String source();

  /// Why there is none; empty if there is one.
  String problem();

  /// Whether a spec is declared on a platform.
  boolean declares(Query query, Platform platform);
}

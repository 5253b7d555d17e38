package dev.quern.conformance;

import dev.quern.conformance.catalog.SuiteCatalog;
import java.util.OptionalLong;

/// How large a dimension of an operator gets in the models that people run.
///
/// @since 0.1
/// @stability api
@FunctionalInterface
public interface Largest {
  /// @param operator `linear`
  /// @param dimension `inputs`
  /// @return empty where nothing is known of it
  OptionalLong of(String operator, String dimension);

  /// In the models of the suite's table.
  static Largest inModels() {
    return SuiteCatalog::largest;
  }
}

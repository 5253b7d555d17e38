package dev.quern.conformance;

import dev.quern.spi.Availability;
import dev.quern.spi.Platform;
import java.util.List;

/// Everything that a run of the suite found: plain data, from which reports are made.
///
/// @param provider the provider's name
/// @param specVersion the version of SPEC.md that was tested
/// @param platform where
/// @param availability the provider's; if unavailable there are no cells
/// @param settings tries and seed
/// @param cells every rule on every subject and class of shapes, and on the specs of models
/// @param models the specs of models, whose subjects are among the cells'
/// @since 0.1
/// @stability api
public record SuiteResult(
    String provider,
    int specVersion,
    Platform platform,
    Availability availability,
    Settings settings,
    List<CellResult> cells,
    List<ModelResult> models) {

  public SuiteResult {
    cells = List.copyOf(cells);
    models = List.copyOf(models);
  }

  /// The result of a run without models.
  public SuiteResult(
      String provider,
      int specVersion,
      Platform platform,
      Availability availability,
      Settings settings,
      List<CellResult> cells) {
    this(provider, specVersion, platform, availability, settings, cells, List.of());
  }

  /// Cases that kept their rule.
  public long passes() {
    return cells.stream().mapToLong(CellResult::passes).sum();
  }

  /// Cases that broke their rule.
  public long failures() {
    return cells.stream().mapToLong(CellResult::failures).sum();
  }

  /// Cases that were declined, or of which a rule says nothing.
  public long skips() {
    return cells.stream()
        .mapToLong(c -> c.skips().values().stream().mapToLong(Integer::longValue).sum())
        .sum();
  }

  /// Whether the provider can run here, something was checked, and no rule was broken.
  public boolean green() {
    return availability instanceof Availability.Ready && passes() > 0 && failures() == 0;
  }
}

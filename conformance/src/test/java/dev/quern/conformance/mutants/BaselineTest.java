package dev.quern.conformance.mutants;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.quern.conformance.CellResult;
import dev.quern.conformance.Failure;
import dev.quern.conformance.Selection;
import dev.quern.conformance.Settings;
import dev.quern.conformance.Suite;
import dev.quern.conformance.Target;
import dev.quern.testing.LeftOut;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/// Without a fault the mutants' provider passes the whole suite: what kills a mutant is its fault.
class BaselineTest {
  @Test
  void theBaselineIsGreen() {
    LeftOut.unlessFull(getClass(), "the whole suite on the mutants' provider");
    Settings settings = Settings.fromSystemProperties();
    List<String> failures =
        Suite.run(
                Target.here(new MutantProvider(Fault.NONE)), settings, Selection.all(), cell -> {})
            .cells()
            .stream()
            .map(CellResult::firstFailure)
            .flatMap(Optional::stream)
            .map(Failure::message)
            .toList();
    assertEquals(List.of(), failures);
  }
}

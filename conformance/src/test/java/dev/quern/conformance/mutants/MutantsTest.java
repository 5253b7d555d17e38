package dev.quern.conformance.mutants;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.conformance.Hunt;
import dev.quern.conformance.Settings;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class MutantsTest {
  private static final Settings SETTINGS =
      new Settings(Settings.DEFAULT_TRIES, Settings.DEFAULT_SEED, Optional.empty());

  @ParameterizedTest
  @EnumSource(
      mode = EnumSource.Mode.EXCLUDE,
      names = {"NONE", "OVER_READ_X", "OVER_READ_WEIGHTS"})
  void theNamedRuleKillsTheFault(Fault fault) {
    Hunt hunt = new Hunt(MutantProvider.target(fault), SETTINGS, fault.operator());
    long t = System.nanoTime();
    Optional<Hunt.Kill> kill = hunt.by(fault.rule());
    System.err.println(fault + " " + kill + " " + (System.nanoTime() - t) / 1000000);
    assertTrue(kill.isPresent());
  }
}

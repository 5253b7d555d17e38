package dev.quern.conformance.mutants;

import dev.quern.conformance.Hunt;
import dev.quern.conformance.Settings;
import java.nio.file.Path;
import java.util.Optional;

/// A program for [OverReadTest]: checks rule P7 on a fault. It does not get far.
final class OverRead {
  private OverRead() {}

  /// @param args the fault's name, and the file for the case that is being checked
  public static void main(String[] args) {
    Fault fault = Fault.valueOf(args[0]);
    Settings settings =
        new Settings(
            Settings.DEFAULT_TRIES,
            Settings.DEFAULT_SEED,
            Optional.empty(),
            Optional.of(Path.of(args[1])));
    new Hunt(MutantProvider.target(fault), settings, fault.operator()).by(fault.rule());
  }
}

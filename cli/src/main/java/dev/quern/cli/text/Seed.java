package dev.quern.cli.text;

import java.security.SecureRandom;
import picocli.CommandLine;

/// What `--seed` says.
///
/// @param drawn whether it was drawn, and so is news to the user
record Seed(long value, boolean drawn) {
  static final Seed USUAL = new Seed(42, false);

  /// Seeds that are made up are at most this.
  static final long EXACT_IN_JSON = (1L << 53) - 1; // as readers that have doubles alone

  /// Reads a whole number, or the word `random`.
  static final class Converter implements CommandLine.ITypeConverter<Seed> {
    @Override
    public Seed convert(String value) {
      if (value.equals("random")) {
        return new Seed(new SecureRandom().nextLong() & EXACT_IN_JSON, true);
      }
      try {
        return new Seed(Long.parseLong(value), false);
      } catch (NumberFormatException _) {
        throw new CommandLine.TypeConversionException(
            "'" + value + "', expected a whole number of 64 bits, or random");
      }
    }
  }
}

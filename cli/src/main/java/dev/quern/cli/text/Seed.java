package dev.quern.cli.text;

import dev.quern.llama.sampling.Seeds;
import java.security.SecureRandom;
import picocli.CommandLine;

/// What `--seed` says.
///
/// @param drawn whether it was drawn, and so is news to the user
record Seed(long value, boolean drawn) {
  static final Seed USUAL = new Seed(42, false);

  /// Reads a whole number, or the word `random`.
  static final class Converter implements CommandLine.ITypeConverter<Seed> {
    @Override
    public Seed convert(String value) {
      if (value.equals("random")) {
        return new Seed(new SecureRandom().nextLong() & Seeds.MAX, true);
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

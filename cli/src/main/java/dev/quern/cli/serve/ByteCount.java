package dev.quern.cli.serve;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine;

/// A number of bytes: `8000000`, `512M`, `8G`; of 1024 and its powers, as the JVM's own options.
final class ByteCount implements CommandLine.ITypeConverter<Long> {
  private static final Pattern FORM = Pattern.compile("([0-9]{1,15})([kmgt]?)b?");
  private static final String UNITS = "kmgt";

  ByteCount() {}

  @Override
  public Long convert(String value) {
    Matcher matcher = FORM.matcher(value.toLowerCase(Locale.ROOT));
    if (!matcher.matches()) {
      throw new CommandLine.TypeConversionException(
          "expected bytes, such as 8000000, 512M or 8G, but was '" + value + "'");
    }
    long bytes = Long.parseLong(matcher.group(1));
    int power = matcher.group(2).isEmpty() ? 0 : 1 + UNITS.indexOf(matcher.group(2));
    try {
      return Math.multiplyExact(bytes, 1L << 10 * power);
    } catch (ArithmeticException e) {
      throw new CommandLine.TypeConversionException(
          "expected fewer bytes than 8 exabytes, but was '" + value + "'");
    }
  }
}

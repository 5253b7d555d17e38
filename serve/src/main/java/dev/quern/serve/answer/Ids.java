package dev.quern.serve.answer;

import java.security.SecureRandom;
import java.util.HexFormat;

/// Names of answers and calls.
public final class Ids {
  private static final SecureRandom RANDOM = new SecureRandom();

  private Ids() {}

  /// @param prefix such as `chatcmpl-`
  public static String next(String prefix) {
    HexFormat hex = HexFormat.of();
    return prefix + hex.toHexDigits(RANDOM.nextLong()) + hex.toHexDigits(RANDOM.nextLong());
  }
}

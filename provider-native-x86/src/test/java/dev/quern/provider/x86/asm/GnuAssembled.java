package dev.quern.provider.x86.asm;

import java.nio.file.Path;
import java.util.HexFormat;
import java.util.TreeMap;

/// What GNU `as` makes of a text. Skips the test, and says why, where there is none.
public final class GnuAssembled {
  private GnuAssembled() {}

  /// @param folder for the source and what comes of it
  public static byte[] bytes(String text, Path folder) throws Exception {
    StringBuilder hex = new StringBuilder();
    new TreeMap<>(GnuAs.bytesOfLines(text, folder)).values().forEach(hex::append);
    return HexFormat.of().parseHex(hex);
  }
}

package dev.quern.provider.x86;

import dev.quern.files.NewFile;
import dev.quern.files.OutputException;
import dev.quern.provider.x86.asm.Code;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/// Writes down all code before it is loaded: `NAME.s`, which GNU `as` makes the same bytes of, and
/// the bytes themselves as `NAME.bin`. Names begin with those of the variants that reports show.
///
/// @param folder where to; it exists
record Listing(Path folder) {
  /// Writes codes, and gives them back.
  ///
  /// @throws UncheckedIOException if a file can't be written; its message is one line
  List<Code> write(List<Code> codes) {
    try {
      for (Code code : codes) {
        String name = name(code);
        NewFile.write(folder.resolve(name + ".s"), code.text().getBytes(StandardCharsets.US_ASCII));
        NewFile.write(folder.resolve(name + ".bin"), code.bytes());
      }
    } catch (OutputException e) {
      throw new UncheckedIOException(e.getMessage(), e);
    }
    return codes;
  }

  private static String name(Code code) {
    return code.name().isEmpty()
        ? String.format(Locale.ROOT, "unnamed-%08x", Arrays.hashCode(code.bytes()))
        : code.name();
  }
}

package dev.quern.conformance.hostile;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/// What the suite said of each hostile provider before it was changed for them: measured once, with
/// the suite of commit d7dd0db, and kept as it was.
final class Before {
  private Before() {}

  /// `survives`, or what failed first, by id.
  static Map<String, String> read() throws IOException {
    Map<String, String> said = new LinkedHashMap<>();
    try (InputStream in = Before.class.getResourceAsStream("before.tsv")) {
      if (in == null) {
        throw new IOException("before.tsv is missing from the test resources");
      }
      new String(in.readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .map(line -> line.split("\t", -1))
          .forEach(columns -> said.put(columns[0], columns[1]));
    }
    return said;
  }
}

package dev.quern.cli.register;

import dev.quern.cli.console.Sha256;
import dev.quern.cli.console.UserException;
import dev.quern.conformance.SpecText;
import dev.quern.conformance.Suite;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemNotFoundException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.stream.Collectors;

/// What judges.
///
/// @param classes the content hash of the suite's classes
/// @param rules the hash of SPEC.md's rules: a line `NUMBER TEXT` for each
public record SuiteHash(String classes, String rules) {
  private static final String CLASSES = "dev/quern/conformance/";

  /// That of the suite that runs here.
  public static SuiteHash here() throws IOException {
    String rules =
        SpecText.rules().entrySet().stream()
            .map(e -> e.getKey() + " " + e.getValue() + "\n")
            .collect(Collectors.joining());
    return new SuiteHash(
        ContentHash.of(location(), CLASSES, n -> n.endsWith(".class")),
        Sha256.of(rules.getBytes(StandardCharsets.UTF_8)));
  }

  private static Path location() {
    URL url = Suite.class.getProtectionDomain().getCodeSource().getLocation();
    try {
      return Path.of(new URI(url.toString()));
    } catch (URISyntaxException | IllegalArgumentException | FileSystemNotFoundException e) {
      throw new UserException(
          String.format(
              Locale.ROOT,
              "the suite's classes are at %s, expected a JAR or a folder, which can be hashed: start with ./quern",
              url),
          e);
    }
  }
}

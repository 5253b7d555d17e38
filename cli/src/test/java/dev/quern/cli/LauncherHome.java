package dev.quern.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;

/// Folders that look like a checkout whose build is fresh, so that the launcher builds nothing.
final class LauncherHome {
  private LauncherHome() {}

  /// A new one, with blanks in its path.
  static Path in(Path folder) throws IOException {
    Path checkout = Path.of(System.getProperty("quern.home"));
    Path home = folder.resolve("home with space");
    Files.createDirectories(home.resolve("api/src/main"));
    Files.createDirectories(home.resolve(".mvn"));
    Path out = Files.createDirectories(home.resolve("cli/target/quern"));
    for (String file : List.of("quern", ".mvn/jdk.sh", "pom.xml", "api/pom.xml")) {
      Files.copy(checkout.resolve(file), home.resolve(file), StandardCopyOption.COPY_ATTRIBUTES);
    }
    Files.createSymbolicLink(out.resolve("lib"), Path.of(System.getProperty("quern.lib")));
    Files.createSymbolicLink(
        out.resolve("conformance"), Path.of(System.getProperty("quern.conformance.lib")));
    Files.createSymbolicLink(
        out.resolve("charts"), Path.of(System.getProperty("quern.lib")).resolveSibling("charts"));
    Files.writeString(out.resolve("built"), "");
    return home;
  }
}

package dev.quern.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;

/// Folders that look like a checkout whose build is fresh, so that the launcher builds nothing.
final class LauncherHome {
  private static final List<String> FILES =
      List.of(
          "quern",
          ".mvn/jdk.sh",
          "launcher/alone.sh",
          "launcher/launch.sh",
          "launcher/providers.sh",
          "launcher/jvm.options",
          "pom.xml",
          "api/pom.xml");

  private LauncherHome() {}

  /// A new one, with blanks in its path.
  static Path in(Path folder) throws IOException {
    return at(folder.resolve("home with space"));
  }

  /// A new one in a folder that is made for it. It has a log of a class archive, so that none is
  /// stored unasked.
  static Path at(Path home) throws IOException {
    Path checkout = Path.of(System.getProperty("quern.home"));
    Files.createDirectories(home.resolve("api/src/main"));
    Files.createDirectories(home.resolve(".mvn"));
    Files.createDirectories(home.resolve("launcher"));
    Path out = Files.createDirectories(home.resolve("cli/target/quern"));
    for (String file : FILES) {
      Files.copy(checkout.resolve(file), home.resolve(file), StandardCopyOption.COPY_ATTRIBUTES);
    }
    Files.createSymbolicLink(out.resolve("lib"), Path.of(System.getProperty("quern.lib")));
    Files.createSymbolicLink(
        out.resolve("conformance"), Path.of(System.getProperty("quern.conformance.lib")));
    Files.createSymbolicLink(
        out.resolve("serve"), Path.of(System.getProperty("quern.lib")).resolveSibling("serve"));
    Files.createSymbolicLink(
        out.resolve("charts"), Path.of(System.getProperty("quern.lib")).resolveSibling("charts"));
    Files.createSymbolicLink(
        out.resolve("options"), Path.of(System.getProperty("quern.lib")).resolveSibling("options"));
    Files.writeString(out.resolve("built"), "");
    for (String archive :
        List.of("classes", "classes-alone", "classes-serve", "classes-alone-serve")) {
      Files.writeString(Files.createDirectory(out.resolve(archive)).resolve("log"), "");
    }
    return home;
  }
}

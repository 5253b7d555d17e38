package dev.quern.packaging;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// docs/data-licences.md says of every model and data file where it comes from, and its licence.
class DataLicencesTest {
  /// Files that say what lies beside them, or what a JVM, Spring Boot or a logger looks up.
  private static final Set<String> NO_DATA =
      Set.of(
          "README.md",
          "services",
          "spring",
          "spring.factories",
          "additional-spring-configuration-metadata.json",
          "log4j2-test.properties");

  private static final Path HOME = Path.of(System.getProperty("quern.home")).toAbsolutePath();

  @Test
  void namesEveryFileOfAResourceFolder() throws IOException {
    String page = Files.readString(HOME.resolve("docs/data-licences.md"));
    List<Path> files = resources();
    assertTrue(files.size() > 10, "looked in the wrong folder: " + HOME);
    List<Path> missing =
        files.stream()
            .filter(
                f -> !page.contains("`" + f.getFileName() + "`") && !page.contains("`" + tail(f)))
            .map(HOME::relativize)
            .toList();
    assertEquals(
        List.of(),
        missing,
        "docs/data-licences.md must say where each of these comes from, and its licence");
  }

  private static String tail(Path file) {
    return file.getParent().getFileName() + "/" + file.getFileName() + "`";
  }

  private static String slashes(Path file) {
    return HOME.relativize(file).toString().replace('\\', '/');
  }

  private static List<Path> resources() throws IOException {
    try (Stream<Path> all = Files.walk(HOME)) {
      return all.filter(Files::isRegularFile)
          .filter(f -> slashes(f).matches(".*/src/(main|test)/resources/.*"))
          .filter(f -> !slashes(f).contains("/target/"))
          .filter(f -> !NO_DATA.contains(f.getFileName().toString()))
          .filter(f -> !NO_DATA.contains(f.getParent().getFileName().toString()))
          .toList();
    }
  }
}

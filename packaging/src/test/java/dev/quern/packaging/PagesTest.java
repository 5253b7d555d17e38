package dev.quern.packaging;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.packaging.Page.Block;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Pages that say how to use Quern agree with each other and with the build.
class PagesTest {
  private static final Path HOME = Path.of(System.getProperty("quern.home"));
  private static final Path README = HOME.resolve("README.md");
  private static final Path USE = HOME.resolve("docs/use.md");

  @Test
  void useNamesThisVersion() {
    String version = System.getProperty("quern.version");
    String pom = Page.of(USE).file("pom.xml");
    assertTrue(
        pom.contains("<artifactId>quern-bom</artifactId>\n        <version>" + version + "<"), pom);
    String gradle = Page.of(USE).file("build.gradle.kts");
    assertTrue(gradle.contains("dev.quern:quern-bom:" + version + "\""), gradle);
  }

  /// PublishedIT runs the files of docs/use.md. What README.md shows of a file is a part of these.
  @Test
  void whatTheReadmeShowsOfAFileIsPartOfTheTestedOne() {
    Page use = Page.of(USE);
    for (Block block : Page.of(README).blocks()) {
      if (!block.name().isEmpty()) {
        String whole = stripped(use.file(block.name()));
        assertTrue(
            whole.contains(stripped(block.text())),
            () -> "README.md's " + block.name() + " is no part of docs/use.md's:\n" + block.text());
      }
    }
  }

  @Test
  void thePublicWorkflowRunsTheReadmesCommands() throws IOException {
    String readme = Files.readString(README);
    List<String> commands =
        Files.readAllLines(HOME.resolve(".github/workflows/ci.yml")).stream()
            .map(String::strip)
            .filter(line -> line.startsWith("- run: ./") && !line.contains("-Dit.test"))
            .map(line -> line.substring("- run: ".length()).replace("-B -ntp ", ""))
            .toList();
    assertFalse(commands.isEmpty());
    assertEquals(
        List.of(),
        commands.stream().filter(c -> !readme.contains(c)).toList(),
        "commands of .github/workflows/ci.yml that README.md does not have");
  }

  private static String stripped(String text) {
    StringBuilder lines = new StringBuilder("\n");
    text.lines().forEach(line -> lines.append(line.strip()).append('\n'));
    return lines.toString();
  }
}

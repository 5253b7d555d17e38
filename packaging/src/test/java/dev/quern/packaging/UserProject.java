package dev.quern.packaging;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/// A project that someone makes in an empty folder from a page's files and commands. The commands
/// are run as they stand there, by a shell; `mvn` and `gradle` are scripts that add where the
/// artifacts are, which a public repository would know by itself.
///
/// @param bin holds these scripts
/// @param links to what this machine's Maven has fetched of others
record UserProject(Page page, Path folder, Path bin, Path links) implements Closeable {
  /// @param folder an empty one, for all of it
  static UserProject in(Path folder, Page page, Published published) throws IOException {
    UserProject project =
        new UserProject(
            page, folder.resolve("project"), folder.resolve("bin"), folder.resolve("links"));
    Files.createDirectories(project.folder);
    Files.createDirectories(project.bin);
    for (String program : List.of("java", "jlink")) {
      project.script(program, Command.JDK.resolve("bin").resolve(program).toString(), "");
    }
    Path settings = Files.writeString(folder.resolve("settings.xml"), settings(published));
    link(Path.of(Published.FETCHED), project.links);
    project.script(
        "mvn",
        Published.MAVEN.toString(),
        "-B -ntp -q -gs '"
            + settings
            + "' '-Dmaven.repo.local="
            + folder.resolve("fetched")
            + "' '-Dmaven.repo.local.tail="
            + project.links
            + "'");
    return project;
  }

  /// Links to what this machine has fetched already, so that it isn't fetched once more, and not to
  /// Quern's own artifacts: an older build's, installed there once, would be taken for the
  /// published ones.
  private static void link(Path fetched, Path links) throws IOException {
    Path others = Files.createDirectories(links.resolve("dev"));
    link(fetched, links, "dev");
    link(fetched.resolve("dev"), others, "quern");
  }

  private static void link(Path from, Path to, String without) throws IOException {
    if (!Files.isDirectory(from)) {
      return;
    }
    try (Stream<Path> entries = Files.list(from)) {
      for (Path entry : (Iterable<Path>) entries::iterator) {
        if (!entry.endsWith(without)) {
          Files.createSymbolicLink(to.resolve(entry.getFileName()), entry);
        }
      }
    }
  }

  /// Removes the links: JUnit prints two lines for each that it finds.
  @Override
  public void close() throws IOException {
    try (Stream<Path> entries = Files.walk(links)) {
      for (Path entry : (Iterable<Path>) entries.filter(Files::isSymbolicLink)::iterator) {
        Files.delete(entry);
      }
    }
  }

  /// Makes the `gradle` on the user's path know the published artifacts.
  void withGradle(Path gradle, Published published) throws IOException {
    Path script =
        Files.writeString(
            bin.resolveSibling("published.gradle"),
            "allprojects { repositories { maven { url = uri('"
                + published.repository().toUri()
                + "') } } }\n");
    script("gradle", gradle.toString(), "--no-daemon --init-script '" + script + "'");
  }

  void write(String... files) throws IOException {
    for (String file : files) {
      page.write(folder, file);
    }
  }

  /// Runs a page's commands, each of which must succeed, and returns the last.
  Command run(List<String> commands) throws IOException {
    Command last = null;
    for (String command : commands) {
      last = Command.run(folder, bin, List.of("sh", "-c", command)).orFail();
    }
    return last;
  }

  private void script(String name, String program, String options) throws IOException {
    Path file =
        Files.writeString(
            bin.resolve(name), "#!/bin/sh\nexec '" + program + "' " + options + " \"$@\"\n");
    if (!file.toFile().setExecutable(true)) {
      throw new IOException("can't be made executable: " + file);
    }
  }

  private static String settings(Published published) {
    return """
    <settings>
      <profiles>
        <profile>
          <id>published</id>
          <activation><activeByDefault>true</activeByDefault></activation>
          <repositories><repository><id>published</id><url>URL</url></repository></repositories>
        </profile>
      </profiles>
    </settings>
    """
        .replace("URL", published.repository().toUri().toString());
  }
}

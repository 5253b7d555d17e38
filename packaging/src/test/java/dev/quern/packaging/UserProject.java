package dev.quern.packaging;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// A project that someone makes in an empty folder from a page's files and commands. The commands
/// are run as they stand there, by a shell; `mvn` and `gradle` are scripts that add where the
/// artifacts are, which a public repository would know by itself.
///
/// @param bin holds these scripts
record UserProject(Page page, Path folder, Path bin) {
  /// @param folder an empty one, for all of it
  static UserProject in(Path folder, Page page, Published published) throws IOException {
    UserProject project = new UserProject(page, folder.resolve("project"), folder.resolve("bin"));
    Files.createDirectories(project.folder);
    Files.createDirectories(project.bin);
    for (String program : List.of("java", "jlink")) {
      project.script(program, Command.JDK.resolve("bin").resolve(program).toString(), "");
    }
    Path settings = Files.writeString(folder.resolve("settings.xml"), settings(published));
    // Only reads what this machine has fetched already.
    project.script(
        "mvn",
        Published.MAVEN.toString(),
        "-B -ntp -q -gs '"
            + settings
            + "' '-Dmaven.repo.local="
            + folder.resolve("fetched")
            + "' '-Dmaven.repo.local.tail="
            + Published.FETCHED
            + "'");
    return project;
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

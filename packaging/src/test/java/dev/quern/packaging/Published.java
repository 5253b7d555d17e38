package dev.quern.packaging;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/// A second build of this checkout, in a folder of its own, which publishes into a repository
/// there. The user's own repository is read and not written to.
///
/// @param source the copied checkout with what its build made
/// @param repository where all artifacts were deployed to
record Published(Path source, Path repository) {
  static final Path HOME = Path.of(System.getProperty("quern.home"));
  static final String VERSION = System.getProperty("quern.version");

  /// The Maven that runs this build.
  static final Path MAVEN = Path.of(System.getProperty("maven.home"), "bin", "mvn");

  /// Where that Maven keeps what it has fetched.
  static final String FETCHED = System.getProperty("maven.repository");

  private static final Set<String> NOT_SOURCES = Set.of("target", ".git", ".quern", ".idea");

  private static Published shared;

  /// The one of this JVM's tests: it takes minutes. It lies below `target`, where the next one
  /// replaces it.
  static synchronized Published shared() throws IOException {
    if (shared == null) {
      Path folder = HOME.resolve("packaging/target/published");
      delete(folder);
      shared = into(folder);
    }
    return shared;
  }

  private static Published into(Path folder) throws IOException {
    // Another path, with a blank in it: neither may get into an artifact.
    Published published =
        new Published(folder.resolve("another checkout"), folder.resolve("repository"));
    copy(HOME, published.source);
    published.maven(
        "deploy",
        "org.cyclonedx:cyclonedx-maven-plugin:makeAggregateBom",
        "-Prelease",
        "-Dquern.platform=" + platform(),
        "-DskipTests",
        "-DskipITs",
        "-Dspotless.check.skip=true",
        "-Dmaven.install.skip=true",
        "-DaltDeploymentRepository=published::" + published.repository.toUri());
    return published;
  }

  /// What the archive with a runtime is called here; as release/platform.sh has it.
  static String platform() throws IOException {
    return Command.run(HOME, List.of("sh", "release/platform.sh")).orFail().out().strip();
  }

  private void maven(String... arguments) throws IOException {
    List<String> words =
        new ArrayList<>(
            List.of(MAVEN.toString(), "-B", "-ntp", "-q", "-Dmaven.repo.local=" + FETCHED));
    words.addAll(List.of(arguments));
    Command.run(source, words).orFail();
  }

  /// A folder of the repository: all files of one artifact.
  Path artifact(String artifactId) {
    return repository.resolve("dev/quern").resolve(artifactId).resolve(VERSION);
  }

  /// Every JAR that a build of a checkout made of its own sources, by its path in there.
  static List<Path> jars(Path checkout) throws IOException {
    try (Stream<Path> files = Files.walk(checkout)) {
      return files
          .map(checkout::relativize)
          .filter(f -> f.toString().matches("([a-z0-9-]+.){1,2}target.(.*.)?quern-[^/\\\\]*\\.jar"))
          .sorted()
          .toList();
    }
  }

  static void delete(Path folder) throws IOException {
    if (Files.exists(folder)) {
      List<Path> files;
      try (Stream<Path> walk = Files.walk(folder)) {
        files = walk.sorted(Comparator.reverseOrder()).toList();
      }
      for (Path file : files) {
        Files.delete(file);
      }
    }
  }

  private static void copy(Path from, Path to) throws IOException {
    Files.walkFileTree(
        from,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path dir, BasicFileAttributes a)
              throws IOException {
            if (NOT_SOURCES.contains(dir.getFileName().toString())) {
              return FileVisitResult.SKIP_SUBTREE;
            }
            Files.createDirectories(to.resolve(from.relativize(dir)));
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes a) throws IOException {
            Files.copy(file, to.resolve(from.relativize(file)));
            return FileVisitResult.CONTINUE;
          }
        });
  }
}

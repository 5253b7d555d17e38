package dev.quern.packaging;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.testing.LeftOut;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// The archive with a runtime, in an empty Debian that is not this machine's and has no Java, and
/// the image that release/Dockerfile makes of both.
class ContainerIT {
  private static final String STORY = "Once upon a time, there was a curious boy named Oskar.";
  private static final Path WORK = Published.HOME.resolve("packaging/target/container");

  private static Path base;
  private static Path archives;
  private static String name;
  private static Container container;

  @BeforeAll
  static void unpack() throws IOException {
    LeftOut.unlessFull(ContainerIT.class, "archive and image in an empty Debian");
    if (!System.getProperty("os.name").equals("Linux")
        || !"root".equals(System.getProperty("user.name"))) {
      throw LeftOut.ended(ContainerIT.class, "a root folder needs Linux and root");
    }
    for (String tool : List.of("mmdebstrap", "buildah")) {
      LeftOut.unlessInstalled(ContainerIT.class, tool);
    }
    base = Container.debian();
    archives = Published.shared().source().resolve("dist/target");
    name = "quern-" + Published.VERSION + "-" + Published.platform();
    Published.delete(WORK);
    container = new Container(Files.createDirectories(WORK.resolve("root")));
    tar(base, container.root());
    tar(
        archives.resolve(name + ".tar.gz"),
        Files.createDirectories(container.root().resolve("opt")));
  }

  @AfterAll
  static void delete() throws IOException {
    if (container != null) {
      storage("buildah", "rm", "--all").orFail();
      storage("buildah", "rmi", "--all", "--force").orFail();
      Published.delete(WORK);
    }
  }

  @Test
  void theArchiveTellsAStoryWhereThereIsNoJava() throws IOException {
    assertNotEquals(
        0, container.run("sh", "-c", "command -v java").code(), "this Debian has a Java");
    String release = Files.readString(container.root().resolve("etc/os-release"));
    assertTrue(release.contains("VERSION_CODENAME=" + Container.SUITE), release);
    Command run = container.run(quern(), "run", "--prompt", "Once upon a time").orFail();
    assertTrue(run.out().startsWith(STORY), run::out);
  }

  /// What lies on module paths of their own: modules of the JDK that only these ask for are there
  /// too.
  @Test
  void theRuntimeHasWhatAllCommandsNeed() throws IOException {
    Command explain = container.run(quern(), "explain").orFail();
    assertTrue(explain.out().contains("/opt/" + name + "/lib"), explain::out);
    container
        .run(
            quern(), "conformance", "--provider", "scalar", "--operator", "rmsnorm", "--tries", "1")
        .orFail();
    Command serve = container.run(quern(), "serve", "--help").orFail();
    assertTrue(serve.out().startsWith("Usage: quern serve"), serve::out);
    // Modules of the JDK for charts are there; the system's fonts are the user's.
    Command bench = container.run(quern(), "bench", "--depth", "0,8", "--svg", "/tmp/chart.svg");
    assertEquals(1, bench.code(), bench::out);
    assertTrue(bench.err().contains("quern: --html and --svg: Java finds no fonts ("), bench::err);
    assertTrue(bench.err().contains("install fontconfig and a font"), bench::err);
  }

  /// A quota of one CPU is one thread, whatever the machine has; memory is the group's.
  @Test
  void theLimitsOfAContainerAreTheDefaults() throws IOException {
    List<Path> groups = new ArrayList<>();
    try {
      groups.addAll(ControlGroup.limited(100_000, 400L << 20));
      if (groups.isEmpty()) {
        throw LeftOut.ended(
            ContainerIT.class, "control groups can't be made below " + ControlGroup.ROOT);
      }
      Command run =
          container
              .run(
                  groups,
                  quern(),
                  "run",
                  "--prompt",
                  "Once upon a time",
                  "--stats-json",
                  "/tmp/stats.json")
              .orFail();
      assertTrue(run.out().startsWith(STORY), run::out);
      String stats = Files.readString(container.root().resolve("tmp/stats.json"));
      assertTrue(stats.replace(" ", "").contains("\"threads\":1,"), stats);
    } finally {
      for (Path group : groups) {
        Files.delete(group);
      }
    }
  }

  /// Without a daemon, by buildah, on the same Debian as base; users have debian:trixie-slim there.
  @Test
  void theDockerfileMakesAnImageThatTellsAStory() throws IOException {
    String scratch = storage("buildah", "from", "scratch").orFail().out().strip();
    storage("buildah", "add", "--quiet", scratch, base.toString(), "/").orFail();
    storage("buildah", "commit", "--quiet", scratch, "localhost/base").orFail();
    Path context = Files.createDirectories(WORK.resolve("context"));
    Files.copy(Published.HOME.resolve("release/Dockerfile"), context.resolve("Dockerfile"));
    Files.createLink(context.resolve(name + ".tar.gz"), archives.resolve(name + ".tar.gz"));
    storage(
            "buildah",
            "bud",
            "--isolation=chroot",
            "--build-arg=BASE=localhost/base",
            "--build-arg=VERSION=" + Published.VERSION,
            "--build-arg=PLATFORM=" + Published.platform(),
            "--tag=localhost/quern",
            "--file=" + context.resolve("Dockerfile"),
            context.toString())
        .orFail();
    String made = storage("buildah", "from", "localhost/quern").orFail().out().strip();
    Command config =
        storage(
                "buildah",
                "inspect",
                "--format",
                "{{.OCIv1.Config.User}} {{.OCIv1.Config.Entrypoint}}",
                made)
            .orFail();
    assertEquals("65532:65532 [/opt/quern/bin/quern]", config.out().strip());
    Command story =
        storage(
                "buildah",
                "run",
                "--isolation=chroot",
                made,
                "--",
                "/opt/quern/bin/quern",
                "run",
                "--prompt",
                "Once upon a time")
            .orFail();
    assertTrue(story.out().startsWith(STORY), story::out);
  }

  private static String quern() {
    return "/opt/" + name + "/bin/quern";
  }

  private static void tar(Path archive, Path to) throws IOException {
    Command.run(to, List.of("tar", "xf", archive.toString())).orFail();
  }

  /// buildah with its images below `target`.
  private static Command storage(String buildah, String command, String... more)
      throws IOException {
    List<String> words = new ArrayList<>(List.of(buildah, "--storage-driver=vfs"));
    words.add("--root=" + WORK.resolve("storage"));
    words.add("--runroot=" + WORK.resolve("run"));
    words.add(command);
    words.addAll(List.of(more));
    return Command.run(WORK, words);
  }
}

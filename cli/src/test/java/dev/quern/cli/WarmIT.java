package dev.quern.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// `quern warm` and the launcher's use of the class archive. `sh -x` shows what the launcher
/// starts.
class WarmIT {
  private static final String USE = "-XX:SharedArchiveFile=";

  /// With it the archive is the same one, whatever the CPU.
  private static final String ALL = "QUERN_ALL_PROVIDERS=1";

  @TempDir static Path folder;
  private static Path home;
  private static Path stored; // the cache as it should be
  private static Child warm;

  private final Path cache = home.resolve("cli/target/quern/classes/classes.jsa");

  /// What may have happened to the file.
  enum Damage {
    TRUNCATED,
    EMPTY,
    HEADER,
    CONTENT,
    NOISE,
    ABSENT
  }

  @BeforeAll
  static void warm() throws IOException {
    home = LauncherHome.in(folder);
    warm = Child.run(home, List.of(home.resolve("quern").toString(), "warm", "--no-selfcheck"));
    stored = folder.resolve("stored");
    Files.copy(home.resolve("cli/target/quern/classes/classes.jsa"), stored);
  }

  @BeforeEach
  void restore() throws IOException {
    Files.copy(stored, cache, StandardCopyOption.REPLACE_EXISTING);
  }

  @Test
  void aCacheIsStoredAndUsed() throws IOException {
    assertEquals(0, warm.code(), warm.err());
    assertTrue(warm.err().contains("quern: wrote " + cache), warm.err());
    assertEquals(2, warm.err().lines().count(), "two lines, none of the JVM's: " + warm.err());
    try (Stream<Path> files = Files.list(cache.getParent())) {
      assertEquals(
          List.of("classes.jsa", "key", "lock", "log"),
          files.map(f -> f.getFileName().toString()).sorted().toList(),
          "nothing is left over");
    }
    try (Stream<Path> archives = Files.list(cache.getParent().getParent())) {
      assertEquals(
          1,
          archives.filter(f -> f.toString().endsWith("-serve")).filter(WarmIT::isStored).count(),
          "and one for a server's start");
    }
    Child child = quern();
    assertTrue(child.err().contains(USE + cache), child.err());
    // Without `auto` the JVM fails where it can't use the file.
    Child strict =
        Child.run(
            home,
            List.of(
                Child.JAVA,
                "-Xshare:on",
                USE + cache,
                "-XX:+UseSerialGC",
                "-p",
                home.resolve("cli/target/quern/lib").toRealPath().toString(),
                "-m",
                "dev.quern.cli/dev.quern.cli.Main",
                "--version"));
    assertEquals(0, strict.code(), strict.out() + strict.err());
  }

  private static boolean isStored(Path archive) {
    return Files.exists(archive.resolve("key"))
        && archive.resolve("classes.jsa").toFile().length() > 0;
  }

  /// The folder of JARs is a link here, as a user's `current` may be: the JVM's two ways to name a
  /// JAR must not part.
  @ParameterizedTest
  @ValueSource(strings = {ALL, "QUERN_ALL_PROVIDERS="})
  void aModelRunsBehindALink(String providers) throws IOException {
    Child child =
        Child.run(
            home,
            List.of(
                "env",
                providers,
                home.resolve("quern").toString(),
                "run",
                "-n",
                "3",
                "-p",
                "Once"));
    assertEquals(0, child.code(), child.err());
    assertEquals("Once upon a", child.out().strip());
  }

  @Test
  void aJarThatIsALinkCostsTheArchive() throws IOException {
    Path linked = LauncherHome.at(folder.resolve("linked"));
    Path lib = linked.resolve("cli/target/quern/lib");
    Path jars = lib.toRealPath();
    Files.delete(lib);
    Files.createDirectory(lib);
    try (Stream<Path> files = Files.list(jars)) {
      for (Path jar : files.toList()) {
        Files.createSymbolicLink(lib.resolve(jar.getFileName()), jar);
      }
    }
    String quern = linked.resolve("quern").toString();
    Child refused = Child.run(linked, List.of(quern, "warm", "--no-selfcheck"));
    assertEquals(1, refused.code(), refused.err());
    assertTrue(
        refused.err().matches("quern: warm: no class archive: .*\\.jar is a link; put .*\n"),
        refused.err());
    Child child = Child.run(linked, List.of(quern, "run", "-n", "3", "-p", "Once"));
    assertEquals(0, child.code(), child.err());
    assertEquals("Once upon a", child.out().strip());
  }

  @ParameterizedTest
  @EnumSource(Damage.class)
  void aDamagedCacheCostsNothingButTime(Damage damage) throws IOException {
    byte[] noise = new byte[1 << 20];
    new Random(1).nextBytes(noise);
    try (FileChannel file = FileChannel.open(cache, StandardOpenOption.WRITE)) {
      switch (damage) {
        case TRUNCATED -> file.truncate(file.size() / 3);
        case EMPTY -> file.truncate(0);
        case HEADER -> file.write(ByteBuffer.wrap(noise, 0, 64), 200);
        case CONTENT -> file.write(ByteBuffer.wrap(noise), file.size() / 2);
        case NOISE -> file.truncate(noise.length).write(ByteBuffer.wrap(noise), 0);
        case ABSENT -> Files.delete(cache);
      }
    }
    Child child =
        Child.run(home, List.of("env", ALL, home.resolve("quern").toString(), "--version"));
    assertEquals(0, child.code(), child.err());
    assertTrue(child.out().startsWith("quern "), child.out());
    assertEquals(Child.INCUBATOR_WARNING, child.err().strip());
  }

  /// None of these starts may use the cache, and none says so.
  @ParameterizedTest
  @ValueSource(
      strings = {
        "QUERN_JAVA_OPTS=-Dx=y",
        "QUERN_JAVA_OPTS=-Xshare:off",
        "QUERN_JAVA_OPTS=-XX:AOTMode=off",
        "JDK_JAVA_OPTIONS=-Dx=y",
        "CLASSPATH=/nowhere"
      })
  void aCacheOfAnotherConfigurationIsNotUsed(String setting) throws IOException {
    Child child = quern("env", setting);
    assertEquals(0, child.code(), child.err());
    assertFalse(child.err().contains(USE), child.err());
  }

  @Test
  void aCacheOfOtherJarsIsNotUsed() throws IOException {
    Path lib = home.resolve("cli/target/quern/lib");
    Path link = Files.readSymbolicLink(lib);
    Files.delete(lib);
    Files.createDirectory(lib);
    try (Stream<Path> jars = Files.list(link)) {
      for (Path jar : jars.toList()) {
        Files.copy(jar, lib.resolve(jar.getFileName())); // another time of modification
      }
    }
    Files.setLastModifiedTime(lib, FileTime.fromMillis(0)); // newer ones would be stored anew
    try {
      Child child = quern();
      assertEquals(0, child.code(), child.err());
      assertFalse(child.err().contains(USE), child.err());
    } finally {
      try (Stream<Path> jars = Files.list(lib)) {
        for (Path jar : jars.toList()) {
          Files.delete(jar);
        }
      }
      Files.delete(lib);
      Files.createSymbolicLink(lib, link);
      Files.writeString(cache.resolveSibling("log"), ""); // is newer again
    }
  }

  @Test
  void theSuiteRunsWithoutACache() throws IOException {
    Child child = quern("sh", "-x", home.resolve("quern").toString(), "conformance", "--help");
    assertEquals(0, child.code(), child.err());
    assertFalse(child.err().contains(USE), child.err());
  }

  @Test
  void whatIsNotForTheLauncherIsForTheCommand() throws IOException {
    Child help = Child.run(home, List.of(home.resolve("quern").toString(), "warm", "--help"));
    assertEquals(0, help.code(), help.err());
    assertTrue(help.out().contains("--no-selfcheck"), help.out());
    Child wrong = Child.run(home, List.of(home.resolve("quern").toString(), "warm", "--nonsense"));
    assertEquals(2, wrong.code(), wrong.err());
  }

  /// `quern --version` with what the launcher does on stderr.
  private static Child quern(String... before) throws IOException {
    List<String> command = new ArrayList<>(List.of(before));
    if (!command.contains("sh")) {
      command.addAll(List.of("env", ALL));
      command.addAll(List.of("sh", "-x", home.resolve("quern").toString(), "--version"));
    }
    return Child.run(home, command);
  }
}

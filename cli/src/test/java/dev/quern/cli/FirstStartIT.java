package dev.quern.cli;

import static dev.quern.cli.StubbedLauncher.words;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// First starts: builds and class archives that are killed, fail, or happen twice at once.
class FirstStartIT {
  @TempDir static Path folder;
  private static StubbedLauncher launcher;

  private final Path archive = launcher.archive();

  @BeforeAll
  static void make() throws IOException {
    launcher = StubbedLauncher.in(folder);
  }

  @BeforeEach
  void noCache() throws IOException {
    launcher.forgetTheCache();
  }

  @Test
  void aFirstStartThatWasKilledIsMadeUpFor() throws IOException {
    Files.delete(archive.resolve("log"));
    Files.writeString(archive.resolve("new.1.jsa"), "half");
    Child child = launcher.sh("\"$Q\" x");
    assertTrue(child.err().contains("storing a class archive"), child.err());
    assertTrue(words(child).startsWith("-XX:+UseSerialGC "), words(child));
    assertTrue(
        words(child).contains("-XX:SharedArchiveFile=" + archive.resolve("classes.jsa")),
        words(child));
    assertEquals(List.of("classes.jsa", "key", "lock", "log"), StubbedLauncher.files(archive));
    assertEquals("", launcher.sh("\"$Q\" x").err(), "once");
  }

  /// The server's JARs make another module path.
  @Test
  void aServersFirstStartStoresAnArchiveOfItsOwn() throws IOException {
    Path own = archive.resolveSibling("classes-serve");
    Files.delete(own.resolve("log"));
    Child child = launcher.sh("QUERN_ALL_PROVIDERS=1 \"$Q\" serve --port 0");
    assertTrue(child.err().contains("storing a class archive"), child.err());
    assertTrue(
        words(child).contains("-XX:SharedArchiveFile=" + own.resolve("classes.jsa") + " "),
        words(child));
    assertTrue(
        words(child).contains("/serve --add-modules dev.quern.serve -m "),
        "on its module path: " + words(child));
    assertTrue(words(child).endsWith(" serve --port 0"), words(child));
    assertEquals(List.of("classes.jsa", "key", "lock", "log"), StubbedLauncher.files(own));
    assertTrue(
        Files.readString(own.resolve("log")).contains("word: --training"), "what it is made of");
  }

  /// As after a build that is not the launcher's own.
  @Test
  void anArchiveOfOlderJarsIsStoredAnew() throws IOException {
    Files.setLastModifiedTime(archive.resolve("log"), FileTime.fromMillis(0));
    Child child = launcher.sh("\"$Q\" x");
    assertTrue(child.err().contains("storing a class archive"), child.err());
    assertEquals("", launcher.sh("\"$Q\" x").err(), "once");
  }

  @Test
  void twoFirstStartsStoreOneCache() throws Exception {
    Files.delete(archive.resolve("log"));
    String script =
        """
        export STUB_DOES='case $* in *ArchiveClassesAtExit*) echo record >>records; sleep 1 ;; esac'
        "$Q" x >out1 2>err1 & "$Q" x >out2 2>err2 & "$Q" x >out3 2>err3 & wait
        cat out1 out2 out3
        """;
    Files.deleteIfExists(folder.resolve("records"));
    Child child = launcher.sh(script);
    assertEquals(0, child.code(), child.err());
    assertEquals("record\n", Files.readString(folder.resolve("records")));
    assertEquals(
        3,
        child
            .out()
            .lines()
            .filter(l -> l.equals("word: -XX:SharedArchiveFile=" + archive.resolve("classes.jsa")))
            .count(),
        child.out());
    assertEquals(List.of("classes.jsa", "key", "lock", "log"), StubbedLauncher.files(archive));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          case $* in *AtExit=*) exit 1 ;; esac                                            |
          case $* in *AtExit=*) echo '[1s][error][cds] the disk is full'; exit 1 ;; esac  | the disk is full
          case $* in *AtExit=*) rm */cli/target/quern/classes/new.*.jsa; echo none ;; esac | none
          """)
  void aCacheThatCanNotBeStoredCostsALine(String does, String reason) throws IOException {
    Files.delete(archive.resolve("log"));
    Child child =
        launcher.sh("STUB_DOES=\"%s\" \"$Q\" x; \"$Q\" x".formatted(does.replace("$", "\\$")));
    assertTrue(
        child.err().contains("warning: no class archive, so starts are slower: "), child.err());
    assertTrue(child.err().contains(reason == null ? "" : reason), child.err());
    assertEquals(2, child.err().lines().count(), "said once: " + child.err());
    assertFalse(
        words(child).contains("-XX:SharedArchiveFile=" + archive.resolve("classes.jsa")),
        child.out());
    assertEquals(List.of("lock", "log"), StubbedLauncher.files(archive));
  }

  @Test
  void withoutAFolderForItThereIsNoCache() throws IOException {
    Child child =
        launcher.sh(
            "QUERN_JAVA_OPTS=-XX:SharedArchiveFile=mine \"$Q\" warm --no-selfcheck; echo $?; QUERN_JAVA_OPTS=-XX:SharedArchiveFile=mine \"$Q\" x");
    assertTrue(child.out().startsWith("1\n"), child.out());
    assertTrue(child.err().contains("quern: warm: no class archive: "), child.err());
    assertEquals(1, child.err().lines().count(), child.err());
  }

  @Test
  void twoFirstUsesBuildOnce() throws IOException {
    Path fresh = LauncherHome.at(folder.resolve("fresh"));
    Files.delete(fresh.resolve("cli/target/quern/built"));
    StubbedLauncher.script(
        fresh.resolve("build"),
        """
        #!/bin/sh
        home=$(dirname "$0")
        echo build >>"$home/builds"
        sleep 1
        mkdir -p "$home/cli/target/quern/classes"
        : >"$home/cli/target/quern/classes/log"
        """);
    Child child =
        launcher.sh("\"$1/quern\" x & \"$1/quern\" y & \"$1/quern\" z & wait", fresh.toString());
    assertEquals("build\n", Files.readString(fresh.resolve("builds")), child.err());
    assertEquals(3, child.out().lines().filter("word: -m"::equals).count(), child.out());
    assertTrue(child.err().contains("waiting for another quern"), child.err());
  }

  @Test
  void aFailedBuildIsShownAndTriedAgain() throws IOException {
    Path broken = LauncherHome.at(folder.resolve("broken"));
    Files.delete(broken.resolve("cli/target/quern/built"));
    StubbedLauncher.script(broken.resolve("build"), "#!/bin/sh\necho no compiler; exit 3\n");
    for (int i = 0; i < 2; i++) {
      Child child = launcher.sh("\"$1/quern\" x", broken.toString());
      assertEquals(1, child.code(), child.out());
      assertTrue(child.err().contains("no compiler"), child.err());
      assertTrue(child.err().contains("the build failed"), child.err());
    }
  }
}

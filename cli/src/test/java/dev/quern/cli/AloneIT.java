package dev.quern.cli;

import static dev.quern.cli.StubbedLauncher.words;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Starts that leave out what one provider makes needless, here the scalar one, which is
/// everywhere, and what becomes of it where that provider does not run all.
class AloneIT {
  private static final String SPARE = "quern-provider-vector-";

  @TempDir static Path folder;
  private static StubbedLauncher launcher;

  @BeforeAll
  static void make() throws IOException {
    assumeTrue(
        Files.exists(Path.of("/proc/cpuinfo")),
        "no /proc/cpuinfo here: the launcher leaves no provider out, which is not tested");
    launcher = StubbedLauncher.in(folder);
  }

  /// Options of providers as if one of that name and these flags ran everything.
  private static void alone(String nameAndFlags) throws IOException {
    Path options = launcher.home().resolve("cli/target/quern/options");
    if (Files.isSymbolicLink(options)) {
      Files.delete(options);
      Files.createDirectory(options);
    }
    Files.writeString(
        options.resolve("x.options"),
        "# a comment\n#:alone "
            + nameAndFlags
            + "\n#:spare "
            + SPARE
            + "*.jar\n-Da=b\n"
            + Child.NATIVE_ACCESS);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"$Q\"",
        "\"$Q\" --version",
        "\"$Q\" help run",
        "\"$Q\" explain --help",
        "\"$Q\" run -p x",
        "\"$Q\" serve",
        "\"$Q\" serve --model=x --draft y --memory 1G",
        "\"$Q\" chat --system 'You, --provider of tea'",
        "QUERN_JAVA_OPTS=-Xmx1g \"$Q\" tokenize x"
      })
  void whatIsNotNeededIsLeftOut(String script) throws IOException {
    alone("scalar");
    String words = words(launcher.sh(script));
    assertTrue(words.contains(" -Dquern.alone=scalar "), words);
    assertFalse(words.contains(SPARE), words);
    assertTrue(words.contains("quern-provider-scalar-"), words);
    assertTrue(words.contains("-Da=b"), words);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"$Q\" explain",
        "\"$Q\" bench",
        "\"$Q\" serve -m x --model=y",
        "\"$Q\" formats",
        "\"$Q\" conformance --provider vector",
        "\"$Q\" run -p x -P vector",
        "\"$Q\" run -p x --provider=vector",
        "\"$Q\" run -p x --numerics exact",
        "\"$Q\" run -p x -Dquern.provider=vector",
        "\"$Q\" -Dquern.provider=vector run -p x",
        "QUERN_PROVIDER=vector \"$Q\" run -p x",
        "QUERN_PROVIDER_LINEAR=vector \"$Q\" run -p x",
        "QUERN_NUMERICS=exact \"$Q\" run -p x",
        "QUERN_CPU_MASK=-avx2 \"$Q\" run -p x",
        "QUERN_ALL_PROVIDERS=1 \"$Q\" run -p x",
        "QUERN_JAVA_OPTS=-Dquern.provider=vector \"$Q\" run -p x",
        "JAVA_TOOL_OPTIONS='--add-modules jdk.incubator.vector' \"$Q\" run -p x"
      })
  void whoAsksForMoreGetsAll(String script) throws IOException {
    alone("scalar");
    String words = words(launcher.sh(script));
    assertFalse(words.contains("quern.alone"), words);
    assertTrue(words.contains("/lib"), words);
    assertFalse(words.contains(".jar"), "the whole folder: " + words);
  }

  @Test
  void aCpuThatLacksAFlagHasAllProviders() throws IOException {
    alone("scalar no_such_flag");
    String words = words(launcher.sh("\"$Q\" run -p x"));
    assertFalse(words.contains("quern.alone"), words);
  }

  @Test
  void aStartWithoutTheIncubatorSaysNothing() throws IOException {
    alone("scalar");
    Child child = launcher.sh("REAL=1 \"$Q\" run -p 'Once upon' -n 5 --quiet");
    assertEquals(0, child.code(), child.err());
    assertEquals("", child.err());
    assertTrue(child.out().startsWith("Once upon a time"), child.out());
    Child json = launcher.sh("REAL=1 \"$Q\" run -p Once -n 1 --json");
    assertTrue(json.out().contains("\"selection\":\"quern.provider=scalar\""), json.out());
  }

  /// What was read is read again, and words are what they were.
  @ParameterizedTest
  @ValueSource(
      strings = {
        "REAL=1 \"$Q\" run -p 'Once upon' -n 5 -q --stop \"$(printf 'gr\\303\\274n\\n')\"",
        "printf 'Once upon\\n' | REAL=1 \"$Q\" run -n 5 -q",
        "printf 'Once upon\\n' >text; REAL=1 \"$Q\" run -n 5 -q <text",
        "REAL=1 \"$Q\" run -p 'Once upon' -n 5 -q <&-"
      })
  void aWrongGuessStartsAgainWithAll(String script) throws IOException {
    alone("nobody");
    Child child = launcher.sh(script);
    assertEquals(0, child.code(), child.err());
    assertTrue(child.out().startsWith("Once upon a time"), child.out() + child.err());
    assertEquals(
        1,
        child.err().lines().filter(l -> l.startsWith("quern: starting again with all")).count(),
        child.err());
    assertTrue(child.err().contains("QUERN_ALL_PROVIDERS=1"), child.err());
  }

  @Test
  void aChatThatBeginsAgainHasAllItsQuestions() throws IOException {
    alone("nobody");
    Child child = launcher.sh("printf 'the day\\nthe mom\\n' | REAL=1 \"$Q\" chat -n 4");
    assertEquals(0, child.code(), child.err());
    assertEquals(2, child.out().lines().count(), child.out());
  }
}

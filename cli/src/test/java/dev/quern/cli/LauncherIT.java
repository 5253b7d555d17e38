package dev.quern.cli;

import static dev.quern.cli.StubbedLauncher.words;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.testing.Signals;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The launcher under other people's conditions: environment, options, locale, descriptors.
class LauncherIT {
  /// The JVM checks its options, says who it is, and ends.
  private static final String VERSION =
      "QUERN_JAVA_OPTS=\"${QUERN_JAVA_OPTS:-} -version\" exec \"$Q\" x";

  @TempDir static Path folder;
  private static StubbedLauncher launcher;

  @BeforeAll
  static void make() throws IOException {
    launcher = StubbedLauncher.in(folder);
  }

  @BeforeEach
  void noCache() throws IOException {
    launcher.forgetTheCache();
  }

  // Environment

  @ParameterizedTest
  @ValueSource(
      strings = {
        "env -u HOME \"$Q\" --version",
        "env -i JAVA_HOME=\"$JAVA_HOME\" \"$Q\" --version",
        "env HOME= \"$Q\" --version",
        "cd \"$(dirname \"$Q\")/..\" && CDPATH=. \"$(basename \"$(dirname \"$Q\")\")/quern\" --version",
        "cd \"$(dirname \"$Q\")\" && CDPATH=/ sh quern --version",
        "ln -sf \"$Q\" 'one link' && ln -sf 'one link' two && ./two --version && CDPATH=. ./two --version",
        "IFS=/ ENV=/nowhere POSIXLY_CORRECT=1 \"$Q\" --version",
        "cd / && \"$Q\" --version",
        "umask 777; \"$Q\" --version"
      })
  void startsWithoutAWord(String script) throws IOException {
    Child child = launcher.sh(script);
    assertEquals(0, child.code(), child.err());
    assertTrue(
        words(child).endsWith("-m dev.quern.cli/dev.quern.cli.Main --version"), words(child));
    assertEquals("", child.err());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "new\nline",
        "st*r?",
        "-dash",
        "gr\u00fcn \u65e5\u672c",
        "back\\nslash",
        "q'u\"o$te"
      })
  void anyFolderWillDo(String name) throws IOException {
    Path odd = LauncherHome.at(folder.resolve("odd").resolve(name));
    // The test's own JVM may not be able to write such a name: then there is a folder of `?`.
    Child child =
        launcher.sh("env -u LANG -u LC_ALL REAL=1 \"$1/quern\" --version", odd.toString());
    assertEquals(0, child.code(), child.err());
    assertTrue(child.out().startsWith("quern "), child.out());
    assertEquals("", child.err().replace(Child.INCUBATOR_WARNING, "").strip());
  }

  @Test
  void aColonGetsOneLineAndALinkHelps() throws IOException {
    Path odd = LauncherHome.at(folder.resolve("a:b"));
    Child refused = launcher.sh("\"$1/quern\" --version", odd.toString());
    assertEquals(1, refused.code(), refused.out());
    assertEquals(1, refused.err().lines().count(), refused.err());
    assertTrue(refused.err().contains("a colon in its path"), refused.err());
    assertTrue(refused.err().contains("ln -s"), refused.err());
    Child linked = launcher.sh("ln -s \"$1\" linked && linked/quern --version", odd.toString());
    assertEquals(0, linked.code(), linked.err());
  }

  @Test
  void theTemporaryFolderIsTheUsers() throws IOException {
    assertTrue(
        words(launcher.sh("mkdir -p 'my tmp'; TMPDIR=\"$PWD/my tmp\" \"$Q\" x"))
            .contains("-Djava.io.tmpdir=" + folder + "/my tmp "));
    for (String other :
        List.of(
            "TMPDIR=/nowhere \"$Q\" x",
            "TMPDIR=/tmp \"$Q\" x",
            "TMPDIR=$PWD QUERN_JAVA_OPTS=-Djava.io.tmpdir=/theirs \"$Q\" x",
            "TMPDIR=$PWD JAVA_TOOL_OPTIONS=-Djava.io.tmpdir=/theirs \"$Q\" x")) {
      assertFalse(words(launcher.sh(other)).contains("tmpdir=/tmp"), other);
      assertFalse(words(launcher.sh(other)).contains("tmpdir=" + folder), other);
    }
  }

  // The JVM's options

  @ParameterizedTest
  @ValueSource(
      strings = {
        "QUERN_JAVA_OPTS=-XX:+UseG1GC",
        "QUERN_JAVA_OPTS=-XX:-UseSerialGC",
        "JAVA_TOOL_OPTIONS=-XX:+UseParallelGC",
        "JAVA_TOOL_OPTIONS='\"-XX:+UseParallelGC\"'",
        "JDK_JAVA_OPTIONS='-Dx=y -XX:+UseZGC'",
        "_JAVA_OPTIONS=-XX:+UseG1GC",
        "JDK_JAVA_OPTIONS=@theirs",
        "JAVA_TOOL_OPTIONS=-XX:VMOptionsFile=theirs",
        "QUERN_JAVA_OPTS=-XX:Flags=flags"
      })
  void theUsersCollectorWins(String setting) throws IOException {
    Files.writeString(folder.resolve("theirs"), "-XX:+UseG1GC");
    Files.writeString(folder.resolve("flags"), "+UseG1GC\n");
    assertFalse(words(launcher.sh(setting + " \"$Q\" x")).contains("+UseSerialGC"), setting);
    Child child = launcher.sh("export REAL=1 " + setting + "; " + VERSION);
    assertEquals(0, child.code(), child.out() + child.err());
  }

  @Test
  void theUsersFlagsReplaceOursAndNoOthers() throws IOException {
    String ours = words(launcher.sh("\"$Q\" x"));
    assertTrue(ours.startsWith("-XX:+UseSerialGC "), ours);
    for (String variable : List.of("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "QUERN_JAVA_OPTS")) {
      String theirs = "-XX:LoopOptsCount=43 -XX:CICompilerCount=2 -XX:+UseGCOverheadLimit";
      String words = words(launcher.sh(variable + "='" + theirs + "' \"$Q\" x"));
      assertFalse(words.contains("LoopOptsCount=20"), words);
      assertFalse(words.contains("CICompilerCount=3"), words);
      assertTrue(words.contains("-XX:Tier4CompileThreshold=60000 "), words);
      assertTrue(words.contains("-XX:+UseSerialGC "), words);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "-Xint",
        "-XX:TieredStopAtLevel=1",
        "-XX:-TieredCompilation",
        "-XX:CompilationMode=quick-only",
        "-Xshare:off",
        "-XX:AOTMode=off",
        "-XX:Tier4InvocationThreshold=99",
        "-Xmx256m -Xss1m"
      })
  void whatUsersSetIsNoErrorWithOurs(String option) throws IOException {
    for (String variable : List.of("JAVA_TOOL_OPTIONS", "QUERN_JAVA_OPTS")) {
      Child child = launcher.sh("export REAL=1 " + variable + "='" + option + "'; " + VERSION);
      assertEquals(0, child.code(), child.out() + child.err());
    }
  }

  /// What a provider needs of the JVM is in its JAR, so that one more is no change of a launcher.
  @Test
  void optionsOfProvidersComeFromTheirJars() throws IOException {
    String words = words(launcher.sh("\"$Q\" x"));
    for (String option :
        List.of(
            "--enable-native-access=dev.quern.provider.kleidi",
            "--enable-native-access=dev.quern.provider.x86",
            "-XX:CompileCommand=BackgroundCompilation,dev.quern.provider.vector.*::*,false")) {
      assertTrue(words.contains(option), words);
    }
    try (Stream<Path> files = Files.list(launcher.home().resolve("launcher"))) {
      for (Path file : files.toList()) {
        String text = Files.readString(file);
        assertFalse(text.matches("(?s).*provider.(kleidi|scalar|vector|x86).*"), file.toString());
      }
    }
  }

  @Test
  void theOptionsAreAnArgumentFileToo() throws IOException { // as the Windows launcher uses them
    Child child =
        Child.run(
            launcher.home(),
            List.of(Child.JAVA, "@launcher/jvm.options", "-XX:+PrintCommandLineFlags", "-version"));
    assertEquals(0, child.code(), child.err());
    assertTrue(child.out().contains("-XX:LoopOptsCount=20"), child.out());
  }

  // Words

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          run --prompt -Dfoo=bar               | -m MAIN run --prompt -Dfoo=bar
          -Da=b -Dc='d  e' run -Dx=y           | -Da=b -Dc=d  e -m MAIN run -Dx=y
          -Da=b                                | -Da=b -m MAIN
          -D run                               | -m MAIN -D run
          run '' '*' "a\\b"                    | -m MAIN run  * a\\b
          run @file -- -Dx                     | -m MAIN run @file -- -Dx
          --version                            | -m MAIN --version
          """)
  void leadingPropertiesAreTheJvms(String typed, String expected) throws IOException {
    String words = words(launcher.sh("\"$Q\" " + typed));
    String end = " " + expected.replace("MAIN", "dev.quern.cli/dev.quern.cli.Main");
    assertTrue(words.endsWith(end), words);
  }

  @Test
  void whatOnlySomeCommandsNeedIsOnTheirPathAlone() throws IOException {
    Path out = launcher.home().resolve("cli/target/quern");
    String begin = "-p " + out.resolve("lib").toRealPath() + ":" + out;
    assertTrue(words(launcher.sh("\"$Q\" -Dx=y conformance")).contains(begin + "/conformance "));
    assertTrue(words(launcher.sh("\"$Q\" -Dx=y bench --svg=a")).contains(begin + "/charts "));
    assertTrue(words(launcher.sh("\"$Q\" bench --html a")).contains("/charts "));
    assertFalse(words(launcher.sh("\"$Q\" bench --model a")).contains("/charts "));
    assertFalse(words(launcher.sh("\"$Q\" run --html a")).contains("/charts "));
    Child bench = launcher.sh("\"$Q\" bench");
    assertTrue(
        bench.out().contains("QUERN_LAUNCHER: " + launcher.home().resolve("quern")), bench.out());
  }

  @Test
  void exitCodesAndSignalsPassThrough() throws Exception {
    assertEquals(7, launcher.sh("STUB_DOES='exit 7' \"$Q\" run").code());
    for (String signal : Signals.heard("TERM", "INT", "HUP")) {
      String does = "trap 'exit 42' %s; echo ready; while :; do sleep 0.1; done".formatted(signal);
      ProcessBuilder builder =
          new ProcessBuilder(launcher.home().resolve("quern").toString(), "run");
      builder.environment().put("JAVA_HOME", launcher.jdk().toString());
      builder.environment().put("STUB_DOES", does);
      Process process = builder.redirectError(ProcessBuilder.Redirect.DISCARD).start();
      try (var lines = process.inputReader(StandardCharsets.UTF_8)) {
        while (!"ready".equals(lines.readLine())) {
          assertTrue(process.isAlive());
        }
        launcher.sh("kill -%s %d".formatted(signal, process.pid()));
        assertTrue(process.waitFor(1, TimeUnit.MINUTES));
        assertEquals(42, process.exitValue(), signal);
      } finally {
        process.destroyForcibly();
      }
    }
  }

  // Locale

  @ParameterizedTest
  @ValueSource(
      strings = {
        "-i JAVA_HOME=\"$JAVA_HOME\"",
        "-u LC_ALL -u LC_CTYPE -u LANG",
        "-u LC_CTYPE LC_ALL=C LC_TIME=C",
        "-u LC_ALL -u LC_CTYPE LANG=POSIX",
        "-u LC_ALL LC_CTYPE=C LANG=C.UTF-8",
        "-u LC_ALL -u LC_CTYPE LANG=xx_XX.UTF-8", // forwarded by ssh, not installed
        "-u LC_ALL -u LC_CTYPE LANG=C.UTF-8 LC_TIME=xx_XX" // one bad part makes all of it C
      })
  void whereTheLocaleIsCTheJvmReadsUtf8InTheSameLanguage(String environment) throws IOException {
    Child child =
        launcher.sh(
            "env %s REAL=1 QUERN_JAVA_OPTS='-XshowSettings:properties -version' \"$Q\" x"
                .formatted(environment));
    assertEquals(0, child.code(), child.err());
    assertTrue(child.err().contains("sun.jnu.encoding = UTF-8"), child.err());
    assertTrue(child.err().contains("user.language = en"), child.err());
  }

  @Test
  void aPromptHasTheSameTokensWithoutALocale() throws IOException {
    String command =
        "REAL=1 \"$Q\" tokenize --ids \"$(printf 'Gr\\303\\274\\303\\237e, \\346\\227\\245')\"";
    Child child = launcher.sh("unset LC_ALL LC_CTYPE LANG; " + command);
    Child typed = launcher.sh("export LC_ALL=C.UTF-8; " + command);
    assertEquals(typed.out(), child.out());
    assertTrue(child.out().startsWith("["), child.out() + child.err());
  }

  /// `locale` as other systems have it.
  @ParameterizedTest
  @CsvSource(
      delimiterString = "::",
      textBlock =
          """
          echo ISO-8859-1              :: LANG=de_DE.ISO-8859-1 :: LC_ALL: unset, LC_CTYPE: unset, LANG: de_DE.ISO-8859-1
          echo EUC-JP                  :: LC_ALL=ja_JP.eucJP    :: LC_ALL: ja_JP.eucJP, LC_CTYPE: unset, LANG: unset
          echo UTF-8                   :: LANG=de_DE.UTF-8      :: LC_ALL: unset, LC_CTYPE: unset, LANG: de_DE.UTF-8
          exit 127                     :: LANG=C                :: LC_ALL: unset, LC_CTYPE: C.UTF-8, LANG: C
          exit 127                     :: LANG=de_DE            :: LC_ALL: unset, LC_CTYPE: unset, LANG: de_DE
          [ "$LC_ALL" = en_US.UTF-8 ] && echo UTF-8 || echo US-ASCII :: LANG=C :: LC_ALL: unset, LC_CTYPE: en_US.UTF-8, LANG: C
          [ "$1" = -a ] && echo sv_SE.utf8 || { [ "$LC_ALL" = sv_SE.utf8 ] && echo UTF-8 || echo US-ASCII; } :: LC_ALL=C :: LC_ALL: unset, LC_CTYPE: sv_SE.utf8, LANG: C
          echo US-ASCII                :: LANG=C                :: LC_ALL: unset, LC_CTYPE: unset, LANG: C
          """)
  void aLocaleThatIsRealStays(String locale, String setting, String expected) throws IOException {
    Path bin = Files.createDirectories(folder.resolve("fake bin"));
    Path script = Files.writeString(bin.resolve("locale"), "#!/bin/sh\n" + locale + "\n");
    assertTrue(script.toFile().setExecutable(true));
    Child child =
        launcher.sh(
            "env -u LANG -u LC_ALL -u LC_CTYPE -u LC_TIME PATH=\"$PWD/fake bin:$PATH\" %s \"$Q\" x"
                .formatted(setting));
    List<String> lines = child.out().lines().toList();
    for (String line : expected.split(", ")) {
      assertTrue(lines.contains(line), line + " expected in " + child.out());
    }
    assertEquals("", child.err());
  }

  // Descriptors

  @ParameterizedTest
  @ValueSource(strings = {"<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-"})
  void closedDescriptorsAreNoFilesOfOthers(String closed) throws IOException {
    if (!Files.exists(Path.of("/proc/self/fd"))) {
      System.out.println("LauncherIT: closed descriptors not tested: there is no /proc/self/fd");
      return;
    }
    Path fds = folder.resolve("fds");
    Files.deleteIfExists(fds);
    assertEquals(0, launcher.sh("FDS=\"$PWD/fds\" \"$Q\" x %s; exit 0".formatted(closed)).code());
    List<String> shut = List.of(closed.split(" "));
    List<String> expected = List.of("<&-", ">&-", "2>&-");
    List<String> lines = Files.readAllLines(fds);
    for (int fd = 0; fd < expected.size(); fd++) {
      boolean isNull = lines.contains("fd %d: /dev/null".formatted(fd));
      assertEquals(shut.contains(expected.get(fd)), isNull, lines.toString());
    }
  }

  @Test
  void aChatWithoutInputEnds() throws IOException {
    Child child = launcher.sh("REAL=1 \"$Q\" chat -n 5 <&-");
    assertEquals(0, child.code(), child.err());
    assertEquals("", child.out().strip(), "no answer, for there was no question");
  }
}

package dev.quern.dist;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The archives as a user meets them: unpacked in some folder, started from another.
class DistIT {
  private static final Path ARCHIVE = Path.of(System.getProperty("quern.dist"));

  @TempDir static Path folder;
  private static Path home;

  @BeforeAll
  static void unpack() throws IOException {
    Path to = Files.createDirectories(folder.resolve("some folder"));
    Ended tar = run("tar", "xzf", ARCHIVE + ".tar.gz", "-C", to.toString());
    assertEquals(0, tar.code(), tar.err());
    try (Stream<Path> top = Files.list(to)) {
      List<Path> all = top.toList();
      assertEquals(1, all.size(), "one folder in it: " + all);
      home = all.getFirst();
    }
    assertEquals(ARCHIVE.getFileName(), home.getFileName());
  }

  @Test
  void itRunsFromAnotherFolder() throws IOException {
    Ended run = run("sh", "-c", "\"$0\" run --prompt 'Once upon a time' -n 3", quern());
    assertEquals(0, run.code(), run.err());
    assertTrue(run.out().startsWith("Once upon a time, there"), run.out());
    Ended explain = run(quern(), "explain");
    assertEquals(0, explain.code(), explain.err());
    assertTrue(explain.out().contains(home.resolve("lib").toString()), explain.out());
  }

  @Test
  void theSuiteIsThereForItsCommand() throws IOException {
    Ended help = run(quern(), "conformance", "--help");
    assertEquals(0, help.code(), help.err());
    assertTrue(help.out().startsWith("Usage: quern conformance"), help.out());
    Ended rule =
        run(
            quern(),
            "conformance",
            "--provider",
            "scalar",
            "--operator",
            "rmsnorm",
            "--tries",
            "5");
    assertEquals(0, rule.code(), rule.out() + rule.err());
  }

  @Test
  void itIsStartedByALinkAndBuildsNothing() throws IOException {
    Path link = Files.createSymbolicLink(folder.resolve("q"), home.resolve("bin/quern"));
    Ended version = run(link.toString(), "--version");
    assertEquals(0, version.code(), version.err());
    String warning = "WARNING: Using incubator modules: jdk.incubator.vector"; // by the CPU
    assertEquals("", version.err().replace(warning, "").strip());
    Ended none = run("env", "QUERN_PROVIDER_PATH=/nowhere", quern(), "explain");
    assertEquals(1, none.code(), none.out());
    assertTrue(none.err().startsWith("quern: QUERN_PROVIDER_PATH: /nowhere: "), none.err());
  }

  @Test
  void bothArchivesHoldTheSame() throws IOException {
    Set<String> names = new HashSet<>();
    try (ZipFile zip = new ZipFile(ARCHIVE + ".zip")) {
      for (ZipEntry entry : zip.stream().filter(e -> !e.isDirectory()).toList()) {
        names.add(entry.getName());
        try (InputStream in = zip.getInputStream(entry)) {
          assertArrayEquals(
              Files.readAllBytes(home.resolveSibling(entry.getName())),
              in.readAllBytes(),
              entry.getName());
        }
      }
    }
    try (Stream<Path> files = Files.walk(home)) {
      Set<String> unpacked = new HashSet<>();
      files
          .filter(Files::isRegularFile)
          .forEach(f -> unpacked.add(home.getParent().relativize(f).toString()));
      assertEquals(unpacked, names);
    }
    for (String file : List.of("LICENSE", "NOTICE", "README.md", "bin/quern.cmd")) {
      assertTrue(Files.isRegularFile(home.resolve(file)), file);
    }
  }

  /// The same inputs give the same bytes: nothing of the machine or of the hour is in the archive.
  @Test
  void nothingOfTheMachineIsInTheArchive() throws IOException {
    Ended list =
        run("env", "LC_ALL=C", "TZ=UTC0", "tar", "tvzf", ARCHIVE + ".tar.gz", "--numeric-owner");
    Pattern line = Pattern.compile("(\\S+) +0/0 +\\d+ (\\S+ \\S+) (\\S+)");
    Set<String> times = new HashSet<>();
    for (String text : list.out().lines().toList()) {
      Matcher entry = line.matcher(text);
      assertTrue(entry.matches(), text);
      times.add(entry.group(2));
      String mode = entry.group(3).endsWith("/bin/quern") ? "-rwxr-xr-x" : "-rw-r--r--";
      assertEquals(entry.group(3).endsWith("/") ? "drwxr-xr-x" : mode, entry.group(1), text);
    }
    assertEquals(1, times.size(), times.toString());
  }

  @Test
  void everyCommandHasAPage() throws IOException {
    Ended help = run(quern(), "--help");
    List<String> commands =
        help.out()
            .lines()
            .dropWhile(l -> !l.startsWith("Commands:"))
            .skip(1)
            .filter(l -> l.matches("  [a-z]+ .*"))
            .map(l -> l.strip().split(" ")[0])
            .toList();
    assertTrue(commands.contains("run") && commands.size() > 10, help.out());
    for (String command : commands) {
      Path page = home.resolve("share/man/man1/quern-" + command + ".1");
      String text = Files.readString(page);
      assertTrue(text.contains(".SH \"SYNOPSIS\""), command);
      assertFalse(text.contains("OpenJDK"), command);
    }
    assertTrue(Files.readString(home.resolve("share/man/man1/quern.1")).contains("quern"));
  }

  @Test
  void bashCompletesCommandsAndOptions() throws IOException {
    Path file = home.resolve("share/bash-completion/completions/quern");
    Ended complete =
        run(
            "bash",
            "-c",
            """
            set -e
            . "$0"
            compopt() { :; } # which bash allows while it completes only
            COMP_WORDS=(quern sel) COMP_CWORD=1; _complete_quern; echo "${COMPREPLY[@]}"
            COMP_WORDS=(quern run --prom) COMP_CWORD=2; _complete_quern; echo "${COMPREPLY[@]}"
            """,
            file.toString());
    assertEquals("selfcheck\n--prompt --prompts\n", complete.out(), complete.err());
  }

  @Test
  void zshLoadsItsCompletion() throws IOException {
    if (missing("zsh")) {
      return;
    }
    Ended loaded =
        run(
            "zsh",
            "-fc",
            "fpath=(\"$1\" $fpath); autoload -Uz compinit && compinit -u -d \"$2\" && print ${_comps[quern]} && autoload +X _quern && zsh -n \"$1/_quern\"",
            "zsh",
            home.resolve("share/zsh/site-functions").toString(),
            folder.resolve("zcompdump").toString());
    assertEquals("_quern\n", loaded.out(), loaded.err());
    assertEquals(0, loaded.code(), loaded.err());
  }

  // Windows

  /// cmd.exe finds labels by byte offset, and may miss them where lines end in a bare line feed.
  @Test
  void theWindowsLauncherIsWhatCmdReads() throws IOException {
    String text = Files.readString(home.resolve("bin/quern.cmd"), StandardCharsets.US_ASCII);
    assertEquals(
        text.lines().count(), text.split("\r\n", -1).length - 1, "every line ends in CR LF");
    Set<String> labels = new HashSet<>();
    text.lines().filter(l -> l.startsWith(":")).forEach(l -> labels.add(l.substring(1)));
    Matcher jump = Pattern.compile("(?:goto |call :)(\\w+)").matcher(text);
    Set<String> targets = new HashSet<>();
    while (jump.find()) {
      targets.add(jump.group(1));
    }
    assertEquals(labels, targets);
    String posix = Files.readString(home.resolve("libexec/launch.sh"));
    for (String shared :
        List.of(
            "dev.quern.cli/dev.quern.cli.Main",
            "jvm.options",
            "QUERN_PROVIDER_PATH",
            "QUERN_JAVA_OPTS",
            "--add-modules dev.quern.conformance --enable-native-access=dev.quern.conformance",
            "-Djava.awt.headless=true",
            "-XX:CICompilerCount=3")) {
      assertTrue(text.contains(shared), shared);
      assertTrue(posix.contains(shared), shared);
    }
    assertEquals(charts(posix), charts(text));
  }

  /// Wine's cmd.exe runs it; `java.exe` is this system's echo.
  @ParameterizedTest
  @ValueSource(
      strings = {
        "run --prompt \"a & b (c) 50\" -n 3",
        "QUERN_JAVA_OPTS=-XX:+UseG1GC -XX:LoopOptsCount=43",
        "JAVA_TOOL_OPTIONS=\"-XX:+UseParallelGC\"",
        "QUERN_PROVIDER_PATH=Z:\\nowhere (x86)\\a.jar",
        "QUERN_PROVIDERS=C:\\Program Files (x86)\\a.jar",
        "JAVA_HOME=Z:\\nowhere"
      })
  void theWindowsLauncherRuns(String what) throws IOException {
    if (missing("wine")) {
      return;
    }
    Path jdk = Files.createDirectories(folder.resolve("jdk/bin")).getParent();
    Files.writeString(jdk.resolve("release"), "IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"25.0.3\"\n");
    if (!Files.exists(jdk.resolve("bin/java.exe"))) {
      Files.copy(Path.of("/bin/echo"), jdk.resolve("bin/java.exe"));
      assertTrue(jdk.resolve("bin/java.exe").toFile().setExecutable(true));
    }
    boolean words = what.startsWith("run ");
    String script =
        "@echo off\r\nset \"JAVA_HOME=%s\"\r\n%scall \"%s\" %s\r\n"
            .formatted(
                windows(jdk),
                words ? "" : "set \"" + what + "\"\r\n",
                windows(home.resolve("bin/quern.cmd")),
                words ? what : "explain");
    Path batch = Files.writeString(folder.resolve("go.bat"), script);
    Path prefix = ARCHIVE.resolveSibling("wine");
    if (!Files.exists(prefix)) { // else the first program may begin before all of it is there
      wine(prefix, "wineboot", "--init");
    }
    Ended child = wine(prefix, "cmd", "/c", batch.getFileName().toString());
    String out = child.out();
    String variable = words ? "" : what.substring(0, what.indexOf('='));
    switch (variable) {
      case "" -> {
        assertTrue(out.contains("-XX:+UseSerialGC "), child.toString());
        assertTrue(out.contains("-XX:LoopOptsCount=20 "), out);
        assertTrue(out.contains("-p " + windows(home.resolve("lib")) + " "), out);
        assertTrue(out.strip().endsWith("Main run --prompt a & b (c) 50 -n 3"), out);
      }
      case "QUERN_JAVA_OPTS" -> {
        assertFalse(out.contains("UseSerialGC"), out);
        assertFalse(out.contains("LoopOptsCount=20"), out);
        assertTrue(out.contains(what.substring(variable.length() + 1)), out);
      }
      case "JAVA_TOOL_OPTIONS" -> assertFalse(out.contains("UseSerialGC"), out);
      case "JAVA_HOME" -> assertTrue(child.err().contains("no JDK 25 or newer found"), child.err());
      default -> {
        assertTrue(child.err().contains(what.substring(variable.length() + 1)), child.err());
        assertTrue(child.err().contains("QUERN_PROVIDER_PATH"), child.err());
        assertEquals(1, child.code(), out);
      }
    }
  }

  private static String windows(Path path) {
    return "Z:" + path.toString().replace('/', '\\');
  }

  private static String charts(String launcher) {
    Matcher modules = Pattern.compile("--add-modules (java\\.desktop\\S*)").matcher(launcher);
    assertTrue(modules.find());
    return modules.group(1);
  }

  private static boolean missing(String program) throws IOException {
    boolean missing = run("sh", "-c", "command -v " + program).code() != 0;
    if (missing) {
      System.out.println("DistIT: not tested with " + program + ": it is not installed");
    }
    return missing;
  }

  private static String quern() {
    return home.resolve("bin/quern").toString();
  }

  /// A process that has ended.
  private record Ended(int code, String out, String err) {}

  private static Ended wine(Path prefix, String... words) throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of("env", "WINEDEBUG=-all", "DISPLAY=", "WINEPREFIX=" + prefix, "wine"));
    command.addAll(List.of(words));
    return run(command.toArray(String[]::new));
  }

  private static Ended run(String... words) throws IOException {
    List<String> command = new ArrayList<>(List.of(words));
    Path out = Files.createTempFile(folder, "out", ".txt");
    Path err = Files.createTempFile(folder, "err", ".txt");
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(folder.toFile())
            .redirectOutput(out.toFile())
            .redirectError(err.toFile());
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    Process process = builder.start();
    process.getOutputStream().close();
    try {
      if (!process.waitFor(3, TimeUnit.MINUTES)) {
        process.destroyForcibly();
        throw new IllegalStateException("no end after 3 minutes: " + command);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
    return new Ended(
        process.exitValue(),
        Files.readString(out, StandardCharsets.UTF_8),
        Files.readString(err, StandardCharsets.UTF_8));
  }
}

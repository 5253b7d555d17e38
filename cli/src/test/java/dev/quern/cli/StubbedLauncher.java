package dev.quern.cli;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// The launcher in a folder that looks like a checkout, and a `java` that is a script and shows
/// what it was given: a start takes milliseconds.
///
/// @param folder where commands run
/// @param home the checkout
/// @param jdk the folder with `bin/java`
record StubbedLauncher(Path folder, Path home, Path jdk) {
  /// Shows its words, the locale and its open files; stores what a class archive would be.
  private static final String STUB =
      """
      #!/bin/sh
      for word in "$@"; do
        printf 'word: %s\\n' "$word"
        case $word in
          -XX:ArchiveClassesAtExit=*) echo cached >"${word#*=}" ;;
        esac
      done
      for name in LC_ALL LC_CTYPE LC_TIME LANG QUERN_LAUNCHER; do
        eval "echo \\"$name: \\${$name-unset}\\""
      done
      for fd in 0 1 2; do
        file=$(readlink /proc/$$/fd/$fd)
        echo "fd $fd: $file" >>"${FDS:-/dev/null}"
      done
      eval "${STUB_DOES:-}"
      """;

  /// What its file is called.
  static final String QUERN = "quern";

  static StubbedLauncher in(Path folder) throws IOException {
    Path jdk = Files.createDirectories(folder.resolve("stub jdk/bin")).getParent();
    Files.writeString(jdk.resolve("release"), "JAVA_VERSION=\"25.0.1\"\n");
    script(jdk.resolve("bin/java"), STUB);
    return new StubbedLauncher(folder, LauncherHome.in(folder), jdk);
  }

  /// Where its class archive lies.
  Path archive() {
    return home.resolve("cli/target/quern/classes");
  }

  /// Leaves no cache, as if storing one had failed.
  void forgetTheCache() throws IOException {
    for (String file : List.of("classes.jsa", "key", "tried")) {
      Files.deleteIfExists(archive().resolve(file));
    }
    Files.writeString(archive().resolve("log"), "");
  }

  /// Runs a script with the launcher as `$Q` and further words as `$1`...; one with `REAL=1` starts
  /// this JVM and not the stub.
  Child sh(String script, String... words) throws IOException {
    boolean real = script.contains("REAL=1");
    List<String> command =
        new ArrayList<>(
            List.of(
                "env",
                "-u",
                "TMPDIR",
                "JAVA_HOME=" + (real ? System.getProperty("java.home") : jdk.toString()),
                "Q=" + home.resolve(QUERN),
                "sh",
                "-c",
                script,
                "sh"));
    command.addAll(List.of(words));
    return Child.run(folder, command);
  }

  /// What the stub was given, with a blank between.
  String words(String script) throws IOException {
    return words(sh(script));
  }

  static String words(Child child) {
    return String.join(
        " ",
        child.out().lines().filter(l -> l.startsWith("word: ")).map(l -> l.substring(6)).toList());
  }

  static void script(Path file, String text) throws IOException {
    Files.writeString(file, text);
    assertTrue(file.toFile().setExecutable(true));
  }

  /// The names of a folder's files.
  static List<String> files(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(f -> f.getFileName().toString()).sorted().toList();
    }
  }
}

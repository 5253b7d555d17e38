package dev.quern.provider.kleidi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.testing.LeftOut;
import java.io.File;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The scripts that make the JARs with the library, as far as any machine can run them: the one for
/// macOS with programs that pretend to be that system's. That the JAR for Linux works is
/// `LibraryJarIT` of the Arm lane.
class LibraryScriptsTest {
  private static final Path HOME = Path.of("").toAbsolutePath();
  private static final String MACOS = "library-jar-macos";

  /// What the script asks a Mac for. `clang` writes the head of a library for arm64.
  private static final Map<String, String> MAC =
      new TreeMap<>(
          Map.of(
              "uname", "case $1 in -s) echo Darwin ;; *) echo arm64 ;; esac",
              "unzip", "mkdir \"$4/kleidiai\"",
              "cmake", "[ \"$1\" = -S ] || : >\"$2/libkleidiai.a\"",
              "clang",
                  "while [ $# -gt 1 ] && [ \"$1\" != -o ]; do shift; done; "
                      + "[ $# -lt 2 ] && echo 'clang 0' || printf '\\317\\372\\355\\376\\014\\000\\000\\001%64s' '' >\"$2\"",
              "curl", "exit 22"));

  @TempDir private Path folder;

  @BeforeAll
  static void aShell() {
    if (File.separatorChar != '/') {
      throw LeftOut.ended(LibraryScriptsTest.class, "it needs a POSIX shell");
    }
  }

  @Test
  void aWordIsMissingOrTooMany() throws Exception {
    for (String script : List.of("library-jar", MACOS)) {
      for (List<String> words : List.of(List.<String>of(), List.of("a.jar", "b.jar"))) {
        Output run = run(HOME, script, Map.of(), words);
        assertEquals(2, run.status(), run.text());
        assertTrue(run.text().startsWith("usage: " + script + " OUTPUT.jar\n"), run.text());
      }
    }
  }

  @Test
  void aFolderThatIsNotThereIsNoticedBeforeAnythingIsDownloaded() throws Exception {
    for (String script : List.of("library-jar", MACOS)) {
      String jar = folder.resolve("absent/a.jar").toString();
      Output run = run(HOME, script, Map.of(), List.of(jar));
      assertEquals(script + ": " + jar + ": there is no such folder\n", run.text());
      assertEquals(1, run.status());
    }
  }

  @Test
  void onlyAMacMakesTheMacsLibrary() throws Exception {
    Path other = programs(Map.of("uname", "echo Plan9"));
    Output run = run(HOME, MACOS, path(other), List.of(folder.resolve("a.jar").toString()));
    assertEquals(MACOS + ": needs macOS on arm64, this is Plan9 on Plan9\n", run.text());
    assertEquals(1, run.status());
  }

  @Test
  void aSourceWithAnotherHashIsRefused() throws Exception {
    Path source = Files.writeString(folder.resolve("source.zip"), "something else");
    Map<String, String> environment = new TreeMap<>(path(programs(MAC)));
    environment.put("QUERN_KLEIDI_SOURCE", source.toString());
    Path jar = folder.resolve("a.jar");
    Output run = run(HOME, MACOS, environment, List.of(jar.toString()));
    assertTrue(run.text().startsWith(MACOS + ": " + source + " has the SHA-256 "), run.text());
    assertEquals(1, run.status());
    assertTrue(Files.notExists(jar));
    environment.remove("QUERN_KLEIDI_SOURCE");
    run = run(HOME, MACOS, environment, List.of(jar.toString()));
    assertTrue(run.text().startsWith(MACOS + ": can't download https://"), run.text());
  }

  /// All of the script but the compiler. The provider takes the library out of the JAR.
  @Test
  void theMacsJarIsWhatTheProviderLooksFor() throws Exception {
    Path copy =
        Files.createDirectories(folder.resolve("a checkout/provider-native-kleidi/library"));
    for (String file :
        List.of(
            MACOS,
            "library/NOTICE",
            "library/LICENSE-BSD-3-Clause",
            "library/pack.sh",
            "library/macos-aarch64.properties",
            "../LICENSE",
            "../pom.xml",
            "../.mvn/jdk.sh")) {
      Path to = copy.resolveSibling(file).normalize();
      Files.createDirectories(to.getParent());
      Files.copy(HOME.resolve(file), to);
    }
    Path source = Files.writeString(folder.resolve("source.zip"), "a source");
    Path pin = copy.resolve("macos-aarch64.properties");
    Files.writeString(
        pin,
        Files.readString(pin)
            .replaceFirst(
                "source.sha256=.*",
                "source.sha256=5f8f61460a1d3a647dc68590dae12862ec7ea88aed186a86e62e288f1f0ababf"));
    Map<String, String> environment = new TreeMap<>(path(programs(MAC)));
    environment.put("QUERN_KLEIDI_SOURCE", source.toString());
    Path jar = folder.resolve("macos.jar");
    Output run = run(copy.getParent(), MACOS, environment, List.of(jar.toString()));
    assertEquals("", run.text());
    assertEquals(0, run.status());
    try (URLClassLoader loader =
        new URLClassLoader(new URL[] {jar.toUri().toURL()}, ClassLoader.getPlatformClassLoader())) {
      LibraryResource found = LibraryResource.find("macos", loader).orElseThrow();
      assertEquals("KleidiAI 1.30.0 of macos.jar", found.origin());
      Path library = folder.resolve("libkleidiai.dylib");
      found.copyTo(library, loader); // by its record
      assertEquals("", LibrarySearch.wrongFormat("macos", library));
    }
  }

  private Path programs(Map<String, String> texts) throws IOException {
    Path bin = Files.createTempDirectory(folder, "bin");
    for (Map.Entry<String, String> program : texts.entrySet()) {
      Path file =
          Files.writeString(
              bin.resolve(program.getKey()), "#!/bin/sh\n" + program.getValue() + "\n");
      Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
    return bin;
  }

  private static Map<String, String> path(Path first) {
    return Map.of("PATH", first + File.pathSeparator + System.getenv("PATH"));
  }

  private record Output(int status, String text) {}

  private Output run(Path home, String script, Map<String, String> environment, List<String> words)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(words);
    command.addFirst(home.resolve(script).toString());
    Path text = Files.createTempFile(folder, "output", ".txt");
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(text.toFile());
    builder.environment().remove("QUERN_KLEIDI_SOURCE");
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    builder.environment().putAll(environment);
    Process process = builder.start();
    boolean ended = process.waitFor(2, TimeUnit.MINUTES);
    process.destroyForcibly().waitFor();
    assertTrue(ended, () -> "no end: " + command);
    return new Output(process.exitValue(), Files.readString(text));
  }
}

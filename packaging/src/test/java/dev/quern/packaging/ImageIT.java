package dev.quern.packaging;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.testing.LeftOut;
import java.io.IOException;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleFinder;
import java.lang.module.ModuleReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Images of the command line, as `jlink` and `jpackage` make them from the launcher's module path.
class ImageIT {
  private static final Path LIB =
      Path.of(System.getProperty("quern.home"), "cli", "target", "quern", "lib");
  private static final String MAIN = "dev.quern.cli/dev.quern.cli.Main";
  private static final String STORY = "Once upon a time, there was a curious boy named Oskar.";

  @TempDir static Path folder;
  private static Path image;

  @BeforeAll
  static void link() throws IOException {
    image = folder.resolve("image");
    if (!Files.exists(tool("jlink"))) {
      LeftOut.lacking(ImageIT.class, "this JDK has no jlink: " + Command.JDK);
    }
    if (!Files.exists(Command.JDK.resolve("jmods"))
        && !Command.jdk("jlink", folder, "--help").out().contains("run-time image enabled")) {
      LeftOut.lacking(
          ImageIT.class, "this JDK has no jmods and can't link from itself: " + Command.JDK);
    }
    String modules = String.join(",", ours());
    Command.jdk(
            "jlink",
            folder,
            "--module-path",
            LIB.toString(),
            "--add-modules",
            modules,
            "--launcher",
            "quern=" + MAIN,
            "--output",
            image.toString())
        .orFail();
  }

  @Test
  void everyLibraryIsAModule() {
    List<ModuleReference> modules = List.copyOf(ModuleFinder.of(LIB).findAll());
    assertTrue(modules.size() > 6, () -> "few modules in " + LIB + ": " + modules);
    List<String> automatic =
        modules.stream()
            .map(ModuleReference::descriptor)
            .filter(ModuleDescriptor::isAutomatic)
            .map(ModuleDescriptor::name)
            .toList();
    assertEquals(List.of(), automatic, "jlink takes no automatic modules");
  }

  @Test
  void theCommandLineHasItsMainClass() {
    Optional<String> main =
        ModuleFinder.of(LIB).find("dev.quern.cli").orElseThrow().descriptor().mainClass();
    assertEquals(Optional.of("dev.quern.cli.Main"), main);
  }

  @Test
  void aLinkedImageTellsAStory() throws IOException {
    Command run =
        Command.run(
                folder,
                List.of(
                    program(image.resolve("bin/quern")),
                    "run",
                    "--prompt",
                    "Once upon a time",
                    "-n",
                    "40"))
            .orFail();
    assertTrue(run.out().startsWith(STORY), run::out);
  }

  @Test
  void aLinkedImageHasAllProvidersAndNothingOfADesktop() throws IOException {
    String explained =
        Command.run(folder, List.of(program(image.resolve("bin/quern")), "explain")).orFail().out();
    for (String provider : List.of("scalar", "vector", "kleidi", "x86")) {
      assertTrue(explained.contains("jrt:/dev.quern.provider." + provider), explained);
    }
    String modules =
        Command.run(folder, List.of(program(image.resolve("bin/java")), "--list-modules"))
            .orFail()
            .out();
    assertTrue(modules.contains("jdk.incubator.vector@"), modules);
    for (String needless : List.of("java.sql", "java.desktop", "java.xml", "jdk.compiler")) {
      assertFalse(modules.contains(needless + "@"), modules);
    }
  }

  @Test
  void aPackagedApplicationTellsAStory() throws IOException {
    if (!Files.exists(tool("jpackage"))) {
      LeftOut.lacking(ImageIT.class, "this JDK has no jpackage: " + Command.JDK);
    }
    Command.jdk(
            "jpackage",
            folder,
            "--type",
            "app-image",
            "--name",
            "quern",
            "--app-version",
            "1.0",
            "--module",
            MAIN,
            "--runtime-image",
            image.toString(),
            "--dest",
            folder.resolve("package").toString())
        .orFail();
    Path program;
    try (Stream<Path> files = Files.walk(folder.resolve("package"))) {
      program =
          files
              .filter(f -> Set.of("quern", "quern.exe").contains(f.getFileName().toString()))
              .filter(f -> Files.isRegularFile(f) && Files.isExecutable(f))
              .findFirst()
              .orElseThrow();
    }
    Command run =
        Command.run(
                folder,
                List.of(program.toString(), "run", "--prompt", "Once upon a time", "-n", "40"))
            .orFail();
    assertTrue(run.out().startsWith(STORY), run::out);
  }

  /// Quern's own modules; what they require comes along.
  private static Set<String> ours() {
    return ModuleFinder.of(LIB).findAll().stream()
        .map(m -> m.descriptor().name())
        .filter(name -> name.startsWith("dev.quern."))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static Path tool(String name) {
    Path bin = Command.JDK.resolve("bin");
    return Files.exists(bin.resolve(name + ".exe"))
        ? bin.resolve(name + ".exe")
        : bin.resolve(name);
  }

  /// Windows' launchers are batch files.
  private static String program(Path launcher) {
    Path batch = launcher.resolveSibling(launcher.getFileName() + ".bat");
    return (Files.exists(batch) ? batch : launcher).toString();
  }
}

package dev.quern;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.discovery.Locations;
import dev.quern.discovery.ServiceFiles;
import dev.quern.testing.ChildJvm;
import java.io.IOException;
import java.net.URI;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// An application and its providers on the module path and the class path of JVMs of their own.
class PathsTest {
  private static final String MAIN =
      """
      package app;
      public class Main {
        public static void main(String[] args) {
          try {
            System.out.print(dev.quern.Kernels.load().report().text());
          } catch (dev.quern.SelectionException e) {
            System.out.print("FAILED " + e.getMessage());
          }
        }
      }
      """;

  @TempDir static Path folder;

  /// An exploded module, as the build leaves it.
  private static final Path API = Path.of(URI.create(Locations.of(Kernels.class)));

  private static Path app;
  private static Path one;

  @BeforeAll
  static void compile() throws IOException {
    app =
        ProviderJars.jar(
            folder.resolve("app.jar"),
            Map.of("module-info", "module app { requires dev.quern.api; }", "app.Main", MAIN),
            Map.of(),
            "--module-path",
            API.toString());
    one = module("far.one", "far.one.One", "one", 10);
  }

  @Test
  void onTheModulePathServiceBindingFindsAProvider() throws Exception {
    String text =
        run(
            "-XX:TieredStopAtLevel=1",
            "-p",
            ProviderJars.path(app, API, one),
            "-m",
            "app/app.Main");
    assertTrue(text.contains("JIT C1"), text);
    assertTrue(row(text, "one").contains("ready " + one + " (far.one.One)"), text);
    assertTrue(text.contains("from far.one.One"), text);
  }

  @Test
  void aModuleThatLimitModulesHidesIsNoticed() throws Exception {
    String[] options = {"-p", ProviderJars.path(app, API, one), "--limit-modules", "app"};
    String text = run(List.of("-Dquern.provider=one", "-m", "app/app.Main"), options);
    assertTrue(text.startsWith("FAILED quern.provider=one: no provider is called one"), text);
    assertTrue(text.contains("it may be one of these:"), text);
    assertTrue(text.contains("(far.one.One in " + one + ")"), text);
    assertTrue(text.contains("module far.one is on the module path, but this JVM did not"), text);
    assertTrue(text.contains("remedy: add --add-modules far.one"), text);

    String remedied =
        run(
            List.of("--add-modules", "far.one", "-Dquern.provider=one", "-m", "app/app.Main"),
            options);
    assertTrue(row(remedied, "one").contains("ready"), "the remedy helps: " + remedied);
  }

  @Test
  void theSecondReleaseOfAModuleIsNoticed() throws Exception {
    Path second = Files.copy(one, folder.resolve("far.one-2.jar"));
    String text = run("-p", ProviderJars.path(app, API, one, second), "-m", "app/app.Main");
    assertTrue(row(text, "one").contains("ready " + one), text);
    assertTrue(row(text, "?").contains("rejected " + second + " (far.one.One)"), text);
    assertTrue(text.contains("far.one is on the module path twice, and the JVM took " + one), text);
  }

  @Test
  void anApplicationOnTheClassPathDoesNotSeeModules() throws Exception {
    Path sound = ProviderJars.provider(folder.resolve("sound.jar"), "near.Sound", "sound", 1);
    String text =
        run("-Xint", "-p", one.toString(), "-cp", ProviderJars.path(app, API, sound), "app.Main");
    assertTrue(text.contains("JIT interpreter"), text);
    assertTrue(row(text, "sound").contains("ready " + sound), text);
    assertTrue(row(text, "?").contains("unavailable " + one + " (far.one.One)"), text);
    assertTrue(text.contains("remedy: move the JAR to the class path"), text);
    assertTrue(text.contains("WARNING"), "said at load, too: " + text);
  }

  @Test
  void aBrokenModuleIsNamedAndHidesNothing() throws Exception {
    // Without a service file only ServiceLoader's own message tells which class it is.
    Path half = module("far.half", "far.half.Half", "half", 20);
    try (FileSystem files = FileSystems.newFileSystem(half)) {
      Files.delete(files.getPath(ServiceFiles.RESOURCE));
      Files.write(files.getPath("far/half/Half.class"), new byte[] {1, 2, 3});
    }
    Path undeclared =
        ProviderJars.jar(
            folder.resolve("undeclared.jar"),
            Map.of(
                "module-info",
                "module far.undeclared { requires dev.quern.api; }",
                "far.undeclared.Un",
                ProviderJars.source("far.undeclared.Un", "un", 1, "")),
            Map.of(ServiceFiles.RESOURCE, "far.undeclared.Un"),
            "--module-path",
            API.toString());
    String text =
        run(
            "-p",
            ProviderJars.path(app, API, one, half, undeclared),
            "--add-modules",
            "far.undeclared",
            "-m",
            "app/app.Main");
    assertTrue(row(text, "one").contains("ready"), text);
    assertTrue(text.contains("rejected  " + half + " (far.half.Half)"), text);
    assertTrue(text.contains("ClassFormatError"), text);
    assertTrue(text.contains("rejected  " + undeclared + " (far.undeclared.Un)"), text);
    assertTrue(text.contains("module far.undeclared does not say `provides"), text);
    assertEquals(3, text.lines().filter(l -> l.startsWith("? ") || l.startsWith("one ")).count());
  }

  private static Path module(String module, String className, String name, int priority)
      throws IOException {
    return ProviderJars.jar(
        folder.resolve(module + ".jar"),
        Map.of(
            "module-info",
            String.format(
                Locale.ROOT,
                "module %s { requires dev.quern.api; provides dev.quern.spi.KernelProvider with %s; }",
                module,
                className),
            className,
            ProviderJars.source(className, name, priority, "")),
        Map.of(ServiceFiles.RESOURCE, className),
        "--module-path",
        API.toString());
  }

  /// The table's row of a provider, blanks squeezed.
  private static String row(String text, String name) {
    return text.lines()
        .filter(l -> l.startsWith(name + " "))
        .findFirst()
        .orElseThrow(() -> new AssertionError("no row of " + name + " in " + text))
        .replaceAll(" +", " ");
  }

  private static String run(String... arguments) throws Exception {
    return run(List.of(), arguments);
  }

  private static String run(List<String> last, String... first) throws Exception {
    List<String> words = new ArrayList<>(List.of(first));
    words.addAll(last);
    return String.join("\n", ChildJvm.run(words));
  }
}

package dev.quern;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.discovery.Locations;
import dev.quern.discovery.ServiceFiles;
import java.io.IOException;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Provider JARs as a user may put them on the path: right, in twos, incomplete, out of date.
class CatalogJarsTest {
  @TempDir Path folder;

  @Test
  void aJarIsFoundAndNamed() throws IOException {
    Path jar = ProviderJars.provider(folder.resolve("a b.jar"), "far.One", "one", 10);
    ProviderEntry entry = scan(jar).getFirst();
    assertEquals("one", entry.name());
    assertTrue(entry.ready());
    assertTrue(Locations.forPeople(entry.location()).endsWith("b.jar"), entry.location());
  }

  @Test
  void twoJarsThatClaimANameAreBothNamed() throws IOException {
    Path one = ProviderJars.provider(folder.resolve("one.jar"), "far.One", "fast", 10);
    Path two = ProviderJars.provider(folder.resolve("two.jar"), "far.Two", "fast", 20);
    List<ProviderEntry> entries = scan(one, two);
    assertEquals(2, entries.size());
    for (ProviderEntry entry : entries) {
      assertContains(entry, "2 providers are called fast", one.toString(), two.toString());
    }
  }

  /// ServiceLoader itself would take the first and not say a word.
  @Test
  void twoReleasesOfAProviderAreBothNamed() throws IOException {
    Path one = ProviderJars.provider(folder.resolve("fast-1.0.jar"), "far.Fast", "fast", 10);
    Path two = ProviderJars.provider(folder.resolve("fast-1.1.jar"), "far.Fast", "fast", 10);
    List<ProviderEntry> entries = scan(one, two);
    assertEquals(2, entries.size(), entries.toString());
    for (ProviderEntry entry : entries) {
      assertEquals("fast", entry.name());
      assertContains(entry, "its class is on the path 2 times", one.toString(), two.toString());
    }
    assertEquals(1, scan(one, one).size(), "one JAR listed twice is one");
    assertTrue(scan(one, one).getFirst().ready());
  }

  @Test
  void brokenJarsDoNotHideSoundOnes() throws IOException {
    String missing = "far.Missing";
    Path listsMissing =
        ProviderJars.jar(
            folder.resolve("missing.jar"), Map.of(), Map.of(ServiceFiles.RESOURCE, missing));
    Path syntax =
        ProviderJars.jar(
            folder.resolve("syntax.jar"), Map.of(), Map.of(ServiceFiles.RESOURCE, "far away"));
    Path sound = ProviderJars.provider(folder.resolve("sound.jar"), "far.Sound", "sound", 1);
    List<ProviderEntry> entries = scan(listsMissing, syntax, sound);
    assertEquals(3, entries.size(), entries.toString());
    assertEquals("sound", entries.getFirst().name());
    assertContains(byLocation(entries, listsMissing), "a class that is not on the path");
    assertContains(byLocation(entries, syntax), "line 1: 'far away' is not a class name");
  }

  /// Class loaders pass over these without a word.
  @Test
  void aJarThatWasCutIsTold() throws IOException {
    Path sound = ProviderJars.provider(folder.resolve("sound.jar"), "far.Sound", "sound", 1);
    byte[] whole = Files.readAllBytes(sound);
    Path cut = Files.write(folder.resolve("cut.jar"), Arrays.copyOf(whole, whole.length - 100));
    Path empty = Files.write(folder.resolve("empty.jar"), new byte[0]);
    Path absent = folder.resolve("absent.jar");
    List<ProviderEntry> entries = scan(cut, empty, absent, sound);
    assertEquals(3, entries.size(), entries.toString());
    assertEquals("sound", entries.getFirst().name());
    assertTrue(entries.getFirst().ready());
    assertContains(byLocation(entries, cut), "can't be read", "replace or remove it");
    assertContains(byLocation(entries, empty), "can't be read", "empty");
  }

  @Test
  void aJarThatIsAProviderOnTheModulePathAloneIsTold() throws IOException {
    Path jar =
        ProviderJars.jar(
            folder.resolve("module.jar"),
            Map.of(
                "module-info",
                "module far.one { requires dev.quern.api; provides dev.quern.spi.KernelProvider with far.one.One; }",
                "far.one.One",
                ProviderJars.source("far.one.One", "one", 1, "")),
            Map.of(),
            "--module-path",
            Path.of(java.net.URI.create(Locations.of(Kernels.class))).toString());
    List<ProviderEntry> entries = scan(jar);
    assertEquals(1, entries.size(), entries.toString());
    assertEquals("far.one.One", entries.getFirst().className());
    assertContains(
        entries.getFirst(),
        "META-INF/services/dev.quern.spi.KernelProvider is missing",
        "Remedy: put it on the module path");
  }

  @Test
  void aJarWithoutWhatItDependsOnIsTold() throws IOException {
    Path jar =
        ProviderJars.jar(
            folder.resolve("half.jar"),
            Map.of(
                "far.Base",
                "package far; public class Base {}",
                "far.Half",
                ProviderJars.source("far.Half", "half", 1, "")
                    .replace("class Half", "class Half extends Base")),
            Map.of(ServiceFiles.RESOURCE, "far.Half"));
    removeEntry(jar, "far/Base.class");
    ProviderEntry entry = scan(jar).getFirst();
    assertEquals("far.Half", entry.className());
    assertEquals(1, scan(jar).size());
    assertContains(entry, "its class can't be loaded: java.lang.NoClassDefFoundError: far/Base");
  }

  /// They fail in the same words, one after the other.
  @Test
  void severalJarsWithoutTheSameClassHideNothing() throws IOException {
    Map<String, String> sources = new HashMap<>();
    sources.put("far.Base", "package far; public class Base {}");
    StringBuilder services = new StringBuilder();
    for (int i = 0; i < 5; i++) {
      sources.put(
          "far.Half" + i,
          ProviderJars.source("far.Half" + i, "half" + i, 1, "")
              .replace("class Half" + i, "class Half" + i + " extends Base"));
      services.append("far.Half").append(i).append('\n');
    }
    sources.put("far.Sound", ProviderJars.source("far.Sound", "sound", 1, ""));
    Path jar =
        ProviderJars.jar(
            folder.resolve("halves.jar"),
            sources,
            Map.of(ServiceFiles.RESOURCE, services + "far.Sound\n"));
    removeEntry(jar, "far/Base.class");
    List<ProviderEntry> entries = scan(jar);
    assertEquals(6, entries.size(), entries.toString());
    assertEquals("sound", entries.getFirst().name());
    assertTrue(entries.getFirst().ready());
  }

  /// Compiled against an SPI in which `specVersion` did not exist yet.
  @Test
  void aJarForAnOlderSpiIsTold() throws IOException {
    Path oldApi = Files.createDirectories(folder.resolve("old-api"));
    ProviderJars.compile(
        oldApi,
        Map.of(
            "dev.quern.spi.KernelProvider",
            "package dev.quern.spi; public interface KernelProvider { String name(); }"));
    Path jar =
        ProviderJars.jar(
            folder.resolve("old.jar"),
            Map.of(
                "far.Old",
                """
                package far;
                public class Old implements dev.quern.spi.KernelProvider {
                  public String name() { return "old"; }
                }
                """),
            Map.of(ServiceFiles.RESOURCE, "far.Old"),
            "-cp",
            oldApi.toString());
    ProviderEntry entry = scan(jar).getFirst();
    assertContains(entry, "AbstractMethodError", "specVersion", "built for this version");
    assertEquals("far.Old", entry.className());
  }

  /// Compiled against spec 1.0, whose providers had no `open`: it is asked for its version first,
  /// and for no kernels.
  @Test
  void aJarForSpec1IsTold() throws IOException {
    Path oldApi = Files.createDirectories(folder.resolve("api-1.0"));
    ProviderJars.compile(
        oldApi,
        Map.of(
            "dev.quern.spi.Spec",
            "package dev.quern.spi; public class Spec { public static final int VERSION = 1_000; }",
            "dev.quern.spi.Platform",
            "package dev.quern.spi; public class Platform {}",
            "dev.quern.spi.Availability",
            "package dev.quern.spi; public interface Availability { record Ready(String detail)"
                + " implements Availability {} }",
            "dev.quern.spi.KernelProvider",
            """
            package dev.quern.spi;
            public interface KernelProvider {
              String name();
              int priority();
              int specVersion();
              Availability availability(Platform platform);
            }
            """));
    Path jar =
        ProviderJars.jar(
            folder.resolve("spec1.jar"),
            Map.of(
                "far.Spec1",
                ProviderJars.source("far.Spec1", "spec1", 1, "")
                    .replace(", KernelSet", "")
                    .replace("open(Platform", "availability(Platform")
                    .replace("Ready(this, ", "Ready(")),
            Map.of(ServiceFiles.RESOURCE, "far.Spec1"),
            "-cp",
            oldApi.toString());
    ProviderEntry entry = scan(jar).getFirst();
    assertEquals("spec1", entry.name());
    assertEquals(
        "rejected: built against spec 1.0, this quern-api implements 2.0 (P2)."
            + " Remedy: use a release of this provider for spec 2.0",
        entry.verdict().text());
  }

  /// A second quern-api beside the provider, in a class loader that looks there first.
  @Test
  void aSecondApiOnThePathIsTold() throws IOException {
    Path api = Path.of(URI.create(Locations.of(Kernels.class)));
    Path jar = ProviderJars.provider(folder.resolve("twin.jar"), "far.Twin", "twin", 1);
    Path copy = folder.resolve("api-copy.jar");
    ProviderJars.zip(copy, api);
    try (URLClassLoader childFirst =
        new URLClassLoader(new URL[] {Fakes.url(jar), Fakes.url(copy)}, null)) {
      ProviderEntry entry = scan(childFirst).getFirst();
      assertContains(
          entry,
          "it is not a KernelProvider of this quern-api (",
          copy.toString(),
          "leave one quern-api on the path");
    }
  }

  @Test
  void manyBrokenLinesAreEachTold() throws IOException {
    StringBuilder services = new StringBuilder();
    for (int i = 0; i < 150; i++) {
      services.append("far.Missing").append(i).append('\n');
    }
    Map<String, String> entries = new HashMap<>();
    entries.put(ServiceFiles.RESOURCE, services.toString());
    Path jar = ProviderJars.jar(folder.resolve("many.jar"), Map.of(), entries);
    Path sound = ProviderJars.provider(folder.resolve("sound.jar"), "far.Sound", "sound", 1);
    assertEquals(151, scan(jar, sound).size());
  }

  private static void removeEntry(Path jar, String name) throws IOException {
    try (var files = FileSystems.newFileSystem(jar)) {
      Files.delete(files.getPath(name));
    }
  }

  private static ProviderEntry byLocation(List<ProviderEntry> entries, Path jar)
      throws IOException {
    String location = Fakes.url(jar).toString();
    return entries.stream().filter(e -> e.location().equals(location)).findFirst().orElseThrow();
  }

  private static void assertContains(ProviderEntry entry, String... parts) {
    for (String part : parts) {
      assertTrue(entry.verdict().text().contains(part), part + " in " + entry);
    }
  }

  private static List<ProviderEntry> scan(Path... jars) throws IOException {
    URL[] urls = new URL[jars.length];
    for (int i = 0; i < jars.length; i++) {
      urls[i] = Fakes.url(jars[i]);
    }
    try (URLClassLoader loader = new URLClassLoader(urls, Fakes.class.getClassLoader())) {
      return scan(loader);
    }
  }

  private static List<ProviderEntry> scan(ClassLoader loader) {
    return Catalog.scan(new KernelOptions(Map.of(), Fakes.PLATFORM, loader)).entries();
  }
}

package dev.quern;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.discovery.Locations;
import dev.quern.spi.Availability;
import dev.quern.spi.Platform;
import dev.quern.spi.Spec;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Enumeration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Providers that this class's own class path holds; see [CatalogJarsTest] for JARs.
class CatalogTest {
  @TempDir Path folder;

  @Test
  void readyProvidersComeFirstByPriority() throws IOException {
    List<ProviderEntry> entries =
        scan(Fakes.Scalar.class, Fakes.Amx.class, Fakes.Kleidi.class, Fakes.Vector.class);
    assertEquals(
        List.of("vector", "scalar", "amx", "kleidi"),
        entries.stream().map(ProviderEntry::name).toList());
    assertEquals(new Verdict.Ready("256-bit vectors"), entries.getFirst().verdict());
    assertEquals(Spec.VERSION, entries.getFirst().specVersion());
    assertEquals(Locations.of(Fakes.class), entries.getFirst().location());
    assertEquals(new Verdict.Unavailable("the CPU has no AMX", ""), entries.get(2).verdict());
  }

  @Test
  void readyProvidersCanBeHad() throws IOException {
    Catalog catalog = Catalog.scan(Fakes.options(folder, Fakes.Scalar.class, Fakes.Amx.class));
    assertInstanceOf(Fakes.Scalar.class, catalog.ready("scalar").orElseThrow());
    assertTrue(catalog.ready("amx").isEmpty());
    assertTrue(catalog.ready("cuda").isEmpty());
  }

  /// Each broken provider is one rejected entry with a reason, and the one beside it still runs.
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "ThrowingConstructor | ? | it can't be constructed: java.lang.IllegalStateException: no luck",
        "ThrowingInitialiser | ? | ExceptionInInitializerError, caused by java.lang.IllegalStateException: static",
        "HiddenConstructor   | ? | Unable to get public no-arg constructor",
        "NoProvider          | ? | it is not a KernelProvider",
        "NullName            | ? | its name is null, expected a letter",
        "ThrowingName        | ? | it can't say who it is: java.lang.IllegalStateException: who am I",
        "CapitalName         | ? | its name is 'Vector2', expected a letter, then letters, digits",
        "BlankName           | ? | its name is 'my kernels', expected",
        "AutoName            | ? | its name is 'auto', expected a letter, then letters, digits, - or _, all lower case, and not a reserved word",
        "OldMajor   | oldmajor   | built against spec 1.0, this quern-api implements 2.0",
        "NewMinor   | newminor   | built against spec 2.1, this quern-api implements 2.0",
        "NewMajor   | newmajor   | built against spec 3.0, this quern-api implements 2.0",
        "ThrowingAvailability | grumpy | open(platform) threw java.lang.IllegalStateException: go"
            + " away",
        "NullAvailability     | mute   | open(platform) returned null",
        "OverflowingAvailability | deep | open(platform) threw java.lang.StackOverflowError",
      })
  void aBrokenProviderIsRejected(String type, String name, String reason) throws Exception {
    Class<?> broken =
        Class.forName(
            CatalogTest.class.getName() + "$" + type, false, CatalogTest.class.getClassLoader());
    List<ProviderEntry> entries = scan(broken, Fakes.Scalar.class);
    assertEquals(2, entries.size(), entries.toString());
    assertEquals("scalar", entries.get(0).name());
    assertTrue(entries.get(0).ready());
    ProviderEntry entry = entries.get(1);
    assertEquals(name, entry.name());
    assertEquals(broken.getName(), entry.className());
    // Where there is no class to ask, it is where the service file lies.
    assertTrue(
        List.of(Locations.of(broken), Fakes.url(folder).toString()).contains(entry.location()),
        entry.location());
    Verdict.Rejected verdict = assertInstanceOf(Verdict.Rejected.class, entry.verdict());
    assertTrue(verdict.reason().contains(reason), verdict.reason());
    assertTrue(!verdict.remedy().isBlank());
  }

  @ParameterizedTest
  @ValueSource(strings = {"two words", "far.away.Provider;", "3d.Provider", "a-b"})
  void aSyntaxErrorInAServiceFileIsTold(String line) throws IOException {
    String text = "# ours\n" + Fakes.Scalar.class.getName() + "\n" + line + "\n";
    ProviderEntry entry = single(Fakes.services(folder, text));
    assertEquals(Fakes.url(folder).toString(), entry.location());
    assertTrue(
        entry.verdict().text().contains(", line 3: '" + line + "' is not a class name"),
        entry.toString());
  }

  @Test
  void aServiceFileMayHoldCommentsAndBlankLines() throws IOException {
    String text = "\n  # comment\n " + Fakes.Scalar.class.getName() + " # ours\n\n";
    assertTrue(single(Fakes.services(folder, text)).ready());
  }

  @Test
  void aListedClassThatIsMissingIsTold() throws IOException {
    ProviderEntry entry = single(Fakes.services(folder, "far.away.Provider\n"));
    assertEquals("far.away.Provider", entry.className());
    assertEquals(Fakes.url(folder).toString(), entry.location());
    assertTrue(entry.verdict().text().contains("lists a class that is not on the path"));
  }

  @Test
  void aClassLoaderThatFailsForEverIsLeft() {
    ClassLoader failing =
        new ClassLoader(Fakes.class.getClassLoader()) {
          @Override
          public Enumeration<URL> getResources(String name) throws IOException {
            throw new IOException("the disk is gone");
          }
        };
    ProviderEntry entry = assertTimeoutPreemptively(Duration.ofSeconds(20), () -> single(failing));
    assertTrue(entry.verdict().text().contains("the disk is gone"), entry.toString());
  }

  @Test
  void providersThatShareANameAreAllRejected() throws IOException {
    List<ProviderEntry> entries = scan(Fakes.Vector.class, SecondVector.class, Fakes.Scalar.class);
    assertEquals(3, entries.size());
    assertEquals("scalar", entries.getFirst().name());
    for (ProviderEntry entry : entries.subList(1, 3)) {
      assertEquals("vector", entry.name());
      String text = entry.verdict().text();
      assertTrue(text.startsWith("rejected: 2 providers are called vector: "), text);
      assertTrue(text.contains(Fakes.Vector.class.getName()), text);
      assertTrue(text.contains(SecondVector.class.getName()), text);
    }
  }

  /// The old one can't run anyway, so nothing is ambiguous.
  @Test
  void anOldReleaseDoesNotBlockItsSuccessor() throws IOException {
    List<ProviderEntry> entries = scan(OldMajor.class, OldMajorsSuccessor.class);
    assertEquals(OldMajorsSuccessor.class.getName(), entries.get(0).className());
    assertTrue(entries.get(0).ready());
    assertTrue(entries.get(1).verdict().text().contains("built against spec 1.0"));
  }

  private List<ProviderEntry> scan(Class<?>... providers) throws IOException {
    return Catalog.scan(Fakes.options(folder, providers)).entries();
  }

  private static ProviderEntry single(ClassLoader loader) {
    List<ProviderEntry> entries =
        Catalog.scan(new KernelOptions(Map.of(), Fakes.PLATFORM, loader)).entries();
    assertEquals(1, entries.size(), entries.toString());
    return entries.getFirst();
  }

  @Test
  void aLoaderSeesItsParentsProviders() throws IOException {
    ClassLoader parent = Fakes.services(folder, Fakes.Scalar.class.getName());
    try (URLClassLoader child = new URLClassLoader(new URL[0], parent)) {
      assertTrue(single(child).ready());
    }
  }

  public static final class ThrowingConstructor extends Fakes.Base {
    public ThrowingConstructor() {
      super("x", 1);
      throw new IllegalStateException("no luck");
    }
  }

  public static final class ThrowingInitialiser extends Fakes.Base {
    static final String STATE = fail();

    public ThrowingInitialiser() {
      super("x", 1);
    }

    private static String fail() {
      throw new IllegalStateException("static");
    }
  }

  public static final class HiddenConstructor extends Fakes.Base {
    private HiddenConstructor() {
      super("x", 1);
    }
  }

  public static final class NoProvider {}

  public static final class NullName extends Fakes.Base {
    public NullName() {
      super(null, 1);
    }
  }

  public static final class ThrowingName extends Fakes.Base {
    public ThrowingName() {
      super("x", 1);
    }

    @Override
    public String name() {
      throw new IllegalStateException("who am I");
    }
  }

  public static final class CapitalName extends Fakes.Base {
    public CapitalName() {
      super("Vector2", 1);
    }
  }

  public static final class BlankName extends Fakes.Base {
    public BlankName() {
      super("my kernels", 1);
    }
  }

  public static final class AutoName extends Fakes.Base {
    public AutoName() {
      super("auto", 1);
    }
  }

  public static final class OldMajor extends Fakes.Base {
    public OldMajor() {
      super("oldmajor", 1);
    }

    @Override
    public int specVersion() {
      return Spec.VERSION - 1000;
    }
  }

  public static final class OldMajorsSuccessor extends Fakes.Base {
    public OldMajorsSuccessor() {
      super("oldmajor", 1);
    }
  }

  public static final class NewMinor extends Fakes.Base {
    public NewMinor() {
      super("newminor", 1);
    }

    @Override
    public int specVersion() {
      return Spec.VERSION + 1;
    }
  }

  public static final class NewMajor extends Fakes.Base {
    public NewMajor() {
      super("newmajor", 1);
    }

    @Override
    public int specVersion() {
      return Spec.VERSION + 1000;
    }
  }

  public static final class ThrowingAvailability extends Fakes.Base {
    public ThrowingAvailability() {
      super("grumpy", 1);
    }

    @Override
    public Availability open(Platform platform) {
      throw new IllegalStateException("go away");
    }
  }

  public static final class NullAvailability extends Fakes.Base {
    public NullAvailability() {
      super("mute", 1);
    }

    @Override
    public Availability open(Platform platform) {
      return null;
    }
  }

  public static final class OverflowingAvailability extends Fakes.Base {
    public OverflowingAvailability() {
      super("deep", 1);
    }

    @Override
    public Availability open(Platform platform) {
      throw new StackOverflowError();
    }
  }

  public static final class SecondVector extends Fakes.Base {
    public SecondVector() {
      super("vector", 50);
    }
  }
}

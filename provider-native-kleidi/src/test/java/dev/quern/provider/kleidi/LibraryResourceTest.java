package dev.quern.provider.kleidi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.spi.Availability.Unavailable;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A JAR of its own that brings the library.
class LibraryResourceTest {
  private static final String LINUX = "META-INF/quern/native/linux-aarch64/libkleidiai.so";
  private static final String MACOS = "META-INF/quern/native/macos-aarch64/libkleidiai.dylib";

  @TempDir private Path folder;

  @Test
  void theJarsLibraryComesBeforeTheSystems() throws IOException {
    byte[] staticArchive = "!<arch>\n".getBytes();
    assertEquals(
        "the resource " + LINUX + ": a static archive, expected a shared library",
        none("linux", Optional.empty(), jar(LINUX, staticArchive)).reason());
  }

  @Test
  void theFileThatIsNamedComesBeforeTheJars() throws IOException {
    Path absent = folder.resolve("absent.so");
    assertEquals(
        "quern.kleidi.library=" + absent + ": there is no such file",
        none("linux", Optional.of(absent.toString()), jar(LINUX, new byte[64])).reason());
  }

  @Test
  void eachSystemLooksForItsOwn() throws IOException {
    assertEquals(
        "the resource " + MACOS + ": not a Mach-O library for arm64",
        none("macos", Optional.empty(), jar(MACOS, new byte[64])).reason());
    String reason = none("macos", Optional.empty(), jar(LINUX, new byte[64])).reason();
    assertEquals("there is no libkleidiai.dylib that loads on the system's library path", reason);
  }

  @Test
  void nothingIsLeftBehind() throws IOException {
    long before = leftovers();
    none("linux", Optional.empty(), jar(LINUX, new byte[64]));
    assertEquals(before, leftovers());
  }

  /// In a row of the Arm lane: the library that the row has, in a JAR. Its file is gone by the time
  /// that it is called.
  @Test
  @Tag(ArmHost.TAG)
  void aLibraryOutOfAJarIsCalled() throws IOException {
    ArmHost.needed("a library out of a JAR");
    Path library = Path.of(System.getProperty(LibrarySearch.PROPERTY));
    LibrarySearch.Found found =
        assertInstanceOf(
            LibrarySearch.Found.class,
            find("linux", Optional.empty(), jar(LINUX, Files.readAllBytes(library))));
    assertEquals("the resource " + LINUX, found.where());
    assertEquals(
        ArmHost.kernels("the same library from its file").roundsToEven(),
        new LoadedKernels(found.library(), java.util.Set.of(), 0).roundsToEven());
    assertEquals(0, leftovers());
  }

  private static long leftovers() throws IOException {
    try (Stream<Path> files = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
      return files.filter(f -> f.getFileName().toString().startsWith("quern-kleidi")).count();
    }
  }

  private static Unavailable none(String os, Optional<String> named, Path jar) throws IOException {
    Unavailable why = assertInstanceOf(LibrarySearch.None.class, find(os, named, jar)).why();
    assertTrue(why.remedy().contains("link-kleidiai"), why.remedy());
    return why;
  }

  private static LibrarySearch.Result find(String os, Optional<String> named, Path jar)
      throws IOException {
    try (URLClassLoader loader =
        new URLClassLoader(new URL[] {jar.toUri().toURL()}, ClassLoader.getPlatformClassLoader())) {
      return LibrarySearch.find(os, named, loader);
    }
  }

  private Path jar(String entry, byte[] bytes) throws IOException {
    Path jar = Files.createTempFile(folder, "kleidiai", ".jar");
    try (OutputStream file = Files.newOutputStream(jar);
        JarOutputStream out = new JarOutputStream(file)) {
      out.putNextEntry(new ZipEntry(entry));
      out.write(bytes);
    }
    return jar;
  }
}

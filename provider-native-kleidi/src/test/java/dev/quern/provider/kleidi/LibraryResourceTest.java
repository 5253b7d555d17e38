package dev.quern.provider.kleidi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.kleidi.FoundLibrary;
import dev.quern.spi.Availability.Unavailable;
import dev.quern.spi.KernelProvider;
import dev.quern.testing.ChildJvm;
import dev.quern.testing.LeftOut;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// A JAR of its own that brings the library.
class LibraryResourceTest {
  private static final String FOLDER = "META-INF/quern/native/linux-aarch64/";
  private static final String LINUX = FOLDER + "libkleidiai.so";
  private static final String RECORD = FOLDER + "libkleidiai.properties";
  private static final String MACOS = "META-INF/quern/native/macos-aarch64/libkleidiai.dylib";
  private static final String OF_JAR = " of kleidiai.jar";

  @TempDir private Path folder;

  @Test
  void theJarsLibraryComesBeforeTheSystems() throws IOException {
    byte[] staticArchive = "!<arch>\n".getBytes(StandardCharsets.US_ASCII);
    assertEquals(
        "the resource " + LINUX + OF_JAR + ": a static archive, expected a shared library",
        none("linux", Optional.empty(), jar(staticArchive, record(staticArchive))).reason());
  }

  @Test
  void theFileThatIsNamedComesBeforeTheJars() throws IOException {
    Path absent = folder.resolve("absent.so");
    assertEquals(
        "quern.kleidi.library=" + absent + ": there is no such file",
        none("linux", Optional.of(absent.toString()), jar(new byte[64], "")).reason());
  }

  @Test
  void eachSystemLooksForItsOwn() throws IOException {
    byte[] library = new byte[64];
    Path macos =
        jar(
            Map.of(
                MACOS,
                library,
                MACOS.replace("libkleidiai.dylib", "libkleidiai.properties"),
                record(library).getBytes(StandardCharsets.UTF_8)));
    assertEquals(
        "the resource " + MACOS + OF_JAR + ": not a Mach-O library for arm64",
        none("macos", Optional.empty(), macos).reason());
    Unavailable why = none("macos", Optional.empty(), jar(library, record(library)));
    assertEquals(
        "there is no libkleidiai.dylib that loads on the system's library path", why.reason());
    assertTrue(why.remedy().contains("with the classifier macos-aarch64"), why.remedy());
  }

  /// One byte is another, or the file ends early: no kernel of it is loaded.
  @Test
  void aDamagedLibraryIsRefused() throws IOException {
    byte[] library = new byte[1000];
    String record = record(library);
    library[500] = 1;
    String start = "the resource " + LINUX + OF_JAR + " is damaged: ";
    String reason = none("linux", Optional.empty(), jar(library, record)).reason();
    assertTrue(reason.startsWith(start + "1000 bytes with the CRC-32 "), reason);
    reason = none("linux", Optional.empty(), jar(new byte[999], record)).reason();
    assertTrue(reason.startsWith(start + "999 bytes with the CRC-32 "), reason);
  }

  @Test
  void whatIsFarFromALibraryIsNotUnpacked() throws IOException {
    byte[] large = new byte[(64 << 20) + 1];
    assertEquals(
        "the resource " + LINUX + OF_JAR + ": more than 67108864 bytes",
        none("linux", Optional.empty(), jar(large, record(large))).reason());
    assertEquals(
        "the resource " + LINUX + OF_JAR + ": libkleidiai.properties has more than 65536 bytes",
        none("linux", Optional.empty(), jar(new byte[64], "#".repeat(65537))).reason());
  }

  @Test
  void aLibraryWithoutARecordIsRefused() throws IOException {
    assertEquals(
        "the resource "
            + LINUX
            + OF_JAR
            + " has no libkleidiai.properties beside it, which says what it is",
        none("linux", Optional.empty(), jar(Map.of(LINUX, new byte[64]))).reason());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "crc32=0                             | has no version that looks like one, expected version=",
        "version=1\\u001b[2J                  | has no version that looks like one, expected version=",
        "version=1.32.0                       | has no crc32 that looks like one, expected crc32=",
        "version=1.32.0\\ncrc32=00ff\\n       | has no crc32 that looks like one, expected crc32=",
        "version=\\u12                        | can't be read: Malformed \\uxxxx encoding."
      })
  void aRecordThatSaysNothingUsableIsRefused(String record, String expected) throws IOException {
    String lines = record.replace("\\n", "\n");
    String reason = none("linux", Optional.empty(), jar(new byte[64], lines)).reason();
    assertTrue(
        reason.startsWith(
            "the resource " + LINUX + OF_JAR + ": libkleidiai.properties " + expected),
        reason);
    assertEquals(1, reason.lines().count());
  }

  @Test
  void aTemporaryFolderThatIsNotThereIsNamedWithTheRemedy() throws IOException {
    Path absent = folder.resolve("absent");
    byte[] library = new byte[64];
    Unavailable why = none("linux", Optional.empty(), jar(library, record(library)), absent);
    assertTrue(
        why.reason()
            .startsWith(
                "the resource " + LINUX + OF_JAR + " can't be unpacked in the temporary folder: "),
        why.reason());
    assertTrue(why.reason().contains(absent.toString()), why.reason());
    assertTrue(why.remedy().contains("-Djava.io.tmpdir=DIR"), why.remedy());
  }

  /// In a JVM of its own that sees such a file system, which needs no root where Linux lets users
  /// have namespaces.
  @Test
  void aTemporaryFolderThatTakesNoCodeIsNamedWithTheRemedy() throws Exception {
    Path temp = Files.createDirectory(folder.resolve("noexec"));
    String mount = String.format(Locale.ROOT, "mount -t tmpfs -o noexec none '%s'", temp);
    if (shell(mount).status() != 0) {
      throw LeftOut.ended(getClass(), "no file system can be mounted noexec here (unshare -rm)");
    }
    byte[] library = new byte[64];
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    String classPath =
        ChildJvm.path(FoundLibrary.class, KleidiProvider.class, KernelProvider.class);
    Output child =
        shell(
            String.format(
                Locale.ROOT,
                "%s && '%s' -Djava.io.tmpdir='%s' -cp '%s:%s' %s && ls -A '%s'",
                mount,
                java,
                temp,
                classPath,
                jar(library, record(library)),
                FoundLibrary.class.getName(),
                temp));
    String reason =
        "can't be loaded from the temporary folder "
            + temp
            + ": its file system takes no code (noexec)";
    assertEquals(
        "the resource "
            + LINUX
            + OF_JAR
            + " "
            + reason
            + "\nname a folder on another file system with -Djava.io.tmpdir=DIR\n",
        child.text());
  }

  private record Output(int status, String text) {}

  private Output shell(String script) throws IOException, InterruptedException {
    Path output = Files.createTempFile(folder, "shell", ".txt");
    ProcessBuilder builder =
        new ProcessBuilder("unshare", "-rm", "sh", "-c", script)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile());
    try {
      Process process = builder.start();
      boolean ended = process.waitFor(2, TimeUnit.MINUTES);
      process.destroyForcibly();
      assertTrue(ended, script);
      return new Output(process.exitValue(), Files.readString(output));
    } catch (IOException e) { // no such program
      return new Output(127, e.getMessage());
    }
  }

  @Test
  void nothingIsLeftBehind() throws IOException {
    byte[] library = new byte[64];
    none("linux", Optional.empty(), jar(library, record(library)), folder);
    none("linux", Optional.empty(), jar(library, record(new byte[1])), folder);
    assertEquals(0, leftovers(folder));
  }

  @ParameterizedTest
  @CsvSource({
    "jar:file:/a/b.jar!/x/y, b.jar",
    "jar:nested:/a/app.jar/!BOOT-INF/lib/b.jar!/x/y, b.jar",
    "jrt:/dev.quern.kleidi.linux.aarch64/x/y, dev.quern.kleidi.linux.aarch64",
    "file:/a/classes/x/y, classes"
  })
  void theJarIsNamed(String url, String expected) {
    assertEquals(expected, LibraryResource.holder(url, "x/y"));
  }

  /// In a row of the Arm lane: the library that the row has, in a JAR. Its file is gone by the time
  /// that it is called.
  @Test
  @Tag(ArmHost.TAG)
  void aLibraryOutOfAJarIsCalled() throws IOException {
    ArmHost.needed("a library out of a JAR");
    byte[] library = Files.readAllBytes(Path.of(System.getProperty(LibrarySearch.PROPERTY)));
    LibrarySearch.Found found =
        assertInstanceOf(
            LibrarySearch.Found.class,
            find("linux", Optional.empty(), jar(library, record(library)), folder));
    assertEquals("KleidiAI 0.0-test" + OF_JAR, found.where());
    assertEquals(
        ArmHost.kernels("the same library from its file").roundsToEven(),
        new LoadedKernels(found.library(), Set.of(), 0).roundsToEven());
    assertEquals(0, leftovers(folder));
  }

  private static long leftovers(Path temp) throws IOException {
    try (Stream<Path> files = Files.list(temp)) {
      return files.filter(f -> f.getFileName().toString().startsWith("quern-kleidi")).count();
    }
  }

  private Unavailable none(String os, Optional<String> named, Path jar) throws IOException {
    return none(os, named, jar, folder);
  }

  private static Unavailable none(String os, Optional<String> named, Path jar, Path temp)
      throws IOException {
    return assertInstanceOf(LibrarySearch.None.class, find(os, named, jar, temp)).why();
  }

  private static LibrarySearch.Result find(String os, Optional<String> named, Path jar, Path temp)
      throws IOException {
    try (URLClassLoader loader =
        new URLClassLoader(new URL[] {jar.toUri().toURL()}, ClassLoader.getPlatformClassLoader())) {
      return LibrarySearch.find(os, named, loader, Optional.of(temp));
    }
  }

  /// What is recorded of a library.
  private static String record(byte[] library) {
    CRC32 checksum = new CRC32();
    checksum.update(library);
    return String.format(Locale.ROOT, "version=0.0-test\ncrc32=%08x\n", checksum.getValue());
  }

  private Path jar(byte[] library, String record) throws IOException {
    Map<String, byte[]> entries = new LinkedHashMap<>();
    entries.put(LINUX, library);
    entries.put(RECORD, record.getBytes(StandardCharsets.UTF_8));
    return jar(entries);
  }

  private Path jar(Map<String, byte[]> entries) throws IOException {
    Path jar = Files.createTempDirectory(folder, "jar").resolve("kleidiai.jar");
    try (OutputStream file = Files.newOutputStream(jar);
        JarOutputStream out = new JarOutputStream(file)) {
      for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
        out.putNextEntry(new ZipEntry(entry.getKey()));
        out.write(entry.getValue());
      }
    }
    return jar;
  }
}

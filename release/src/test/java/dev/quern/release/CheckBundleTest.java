package dev.quern.release;

import static dev.quern.release.SmallBundle.API;
import static dev.quern.release.SmallBundle.BOM;
import static dev.quern.release.SmallBundle.PARENT;
import static dev.quern.release.SmallBundle.bytes;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.testing.LeftOut;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A bundle is taken as it should be, and refused for each thing that may be wrong with it.
class CheckBundleTest {
  private static final Consumer<Map<String, byte[]>> NOTHING = files -> {};

  @TempDir static Path folder;
  private static SmallBundle.Key key;
  private static SmallBundle bundle;

  @BeforeAll
  static void makeKey() throws IOException {
    LeftOut.unlessInstalled(CheckBundleTest.class, "gpg");
    key = SmallBundle.Key.in(folder);
    bundle = new SmallBundle(folder, key);
  }

  @AfterAll
  static void endAgent() throws IOException {
    if (key != null) {
      key.close();
    }
  }

  @Test
  void aRightBundleIsTaken() throws IOException {
    assertEquals(List.of(), faults(NOTHING, NOTHING));
  }

  @Test
  void aFileWithoutOneOfItsFourCompanionsIsRefused() throws IOException {
    for (String end : List.of(".asc", ".md5", ".sha1", ".sha256")) {
      refused(NOTHING, f -> f.remove(API + ".jar" + end), API + ".jar: has no ", end);
    }
  }

  @Test
  void anEditedChecksumIsRefused() throws IOException {
    refused(
        NOTHING,
        f -> f.put(API + ".jar.sha1", bytes("0".repeat(40))),
        ".jar.sha1: says 000",
        "and the file has");
    refused(NOTHING, f -> f.put(API + ".jar.sha512", bytes("ff")), ".jar.sha512: says ff");
  }

  @Test
  void aFileThatWasChangedAfterItWasSignedIsRefused() throws IOException {
    byte[] other = SmallBundle.jar("dev/quern/Other.class");
    refused(
        NOTHING,
        f -> {
          f.put(API + ".jar", other);
          CheckBundle.CHECKSUMS.forEach(
              (end, a) -> f.put(API + ".jar" + end, SmallBundle.hex(a, other)));
        },
        API + ".jar: its signature is not one of it by the release's key: BAD signature");
  }

  @Test
  void anotherKeysSignatureIsRefused() throws IOException {
    Path elsewhere = Files.createDirectory(folder.resolve("elsewhere"));
    SmallBundle.Key other = SmallBundle.Key.in(elsewhere);
    try {
      byte[] signature = other.sign(bytes("x"));
      refused(NOTHING, f -> f.put(API + ".pom.asc", signature), API + ".pom: its signature is not");
      refused(
          NOTHING, f -> f.put(API + ".pom.asc", bytes("none")), API + ".pom: its signature is not");
      List<String> all = CheckBundle.faults(bundle.zip(NOTHING, NOTHING), other.file());
      assertEquals(6, all.size(), all::toString);
    } finally {
      other.close();
    }
  }

  @Test
  void aPomThatSaysTooLittleIsRefused() throws IOException {
    refused(
        edit(PARENT, "<licenses>.*</licenses>", ""),
        NOTHING,
        "quern-1.0.0.pom: says no licenses/license/name");
    refused(
        edit(PARENT, "<licenses>.*</licenses>", ""),
        NOTHING,
        "quern-api-1.0.0.pom: says no licenses/license/url");
    refused(
        edit(BOM, "<developers>.*</developers>", ""), NOTHING, "says no developers/developer/name");
    refused(edit(PARENT, "<scm>.*</scm>", ""), NOTHING, "says no scm/connection");
    refused(edit(API, "<name>[^<]*</name>", ""), NOTHING, "quern-api-1.0.0.pom: says no name");
    refused(edit(API, "<description>.*</description>", " "), NOTHING, "says no description");
    refused(f -> f.put(API + ".pom", bytes("<project")), NOTHING, API + ".pom: no XML: ");
    refused(edit(API, "^", "<!DOCTYPE project>"), NOTHING, API + ".pom: no XML: DOCTYPE");
  }

  @Test
  void aPomThatNeedsMoreThanMavenCentralIsRefused() throws IOException {
    refused(
        edit(
            API,
            "<dependencies>",
            "<repositories><repository><url>https://r</url></repository></repositories>$0"),
        NOTHING,
        "names a repository beside Maven Central: [https://r]");
    refused(
        edit(API, "<version>2.0", "<version>2.0-SNAPSHOT"),
        NOTHING,
        "org.example:other: version 2.0-SNAPSHOT");
    refused(
        edit(API, "<version>2.0", "<version>[2,3)"),
        NOTHING,
        "version [2,3), expected a release's");
    refused(
        edit(API, "<version>2.0</version>", "$0<scope>system</scope>"), NOTHING, "scope system");
    refused(
        edit(API, "org.example", "dev.quern"), NOTHING, "dev.quern:other: is not in the bundle");
  }

  @Test
  void aJarWithNothingInItIsRefused() throws IOException {
    refused(
        f -> f.put(API + "-sources.jar", jar("a.txt")),
        NOTHING,
        "-sources.jar: there is no source in it");
    refused(
        f -> f.put(API + "-javadoc.jar", jar("a.txt")),
        NOTHING,
        "-javadoc.jar: there is no index.html in it");
    refused(f -> f.remove(API + "-javadoc.jar"), NOTHING, API + "-javadoc.jar: absent");
    refused(f -> f.put(API + ".jar", bytes("no zip")), NOTHING, API + ".jar: no JAR: ");
  }

  @Test
  void aBundleIsOneVersionOfAllThatTheBomNames() throws IOException {
    refused(
        f -> f.keySet().removeIf(n -> n.startsWith(API)),
        NOTHING,
        "quern-api:1.0.0: absent, and quern-bom names it");
    refused(
        edit(BOM, "quern-api", "quern-more"),
        NOTHING,
        "quern-api:1.0.0: is there, and quern-bom does not");
    refused(
        edit(API, "<version>1.0.0", "<version>1.0.1"), NOTHING, "version '1.0.1', expected 1.0.0");
    refused(
        f -> f.put("dev/quern/maven-metadata.xml", bytes("x")),
        NOTHING,
        "maven-metadata.xml: not the path of an artifact");
    refused(
        f -> f.put("org/other/a/1/a-1.jar", bytes("x")),
        NOTHING,
        "org/other/a/1/a-1.jar: not the path of an artifact");
    refused(
        NOTHING, f -> f.put(API + ".xyz.asc", bytes("x")), ".xyz.asc: not the path of an artifact");
  }

  @Test
  void aNameThatLeadsOutOfTheBundleIsRefused() {
    IOException refused =
        assertThrows(IOException.class, () -> faults(NOTHING, f -> f.put("../out", bytes("x"))));
    assertTrue(
        refused.getMessage().endsWith("the name ../out leads out of it"), refused::getMessage);
  }

  private static void refused(
      Consumer<Map<String, byte[]>> before, Consumer<Map<String, byte[]>> after, String... parts)
      throws IOException {
    List<String> faults = faults(before, after);
    assertTrue(
        faults.stream().anyMatch(f -> List.of(parts).stream().allMatch(f::contains)),
        () -> String.join(" ... ", parts) + " is not among " + faults);
  }

  private static List<String> faults(
      Consumer<Map<String, byte[]>> before, Consumer<Map<String, byte[]>> after)
      throws IOException {
    return CheckBundle.faults(bundle.zip(before, after), key.file());
  }

  /// Another text in a POM, which is there.
  private static Consumer<Map<String, byte[]>> edit(String stem, String regex, String by) {
    return files -> {
      String old = new String(files.get(stem + ".pom"), StandardCharsets.UTF_8);
      String edited = old.replaceFirst("(?s)" + regex, by);
      if (edited.equals(old)) {
        throw new IllegalArgumentException(regex + " is not in " + old);
      }
      files.put(stem + ".pom", bytes(edited));
    };
  }

  private static byte[] jar(String name) {
    try {
      return SmallBundle.jar(name);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}

package dev.quern.packaging;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.testing.LeftOut;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `./build release --dry-run` of what a second build has deployed: what it makes, and that its
/// check refuses a bundle which is not whole.
class ReleaseIT {
  private static final String API =
      "dev/quern/quern-api/" + Published.VERSION + "/quern-api-" + Published.VERSION;

  @TempDir Path folder;
  private static Published published;
  private static Path release;
  private static Command ran;

  @BeforeAll
  static void release() throws IOException {
    LeftOut.unlessFull(ReleaseIT.class, "a release's dry run");
    for (String tool : List.of("gpg", "git")) {
      LeftOut.unlessInstalled(ReleaseIT.class, tool);
    }
    published = Published.shared();
    Path source = published.source();
    git(source, "init", "-q");
    git(source, "add", "-A");
    git(source, "-c", "user.name=test", "-c", "user.email=test@localhost", "commit", "-qm", "All");
    ran =
        Command.run(
            source,
            List.of(
                "env",
                "MAVEN_ARGS=-Dmaven.repo.local=" + Published.FETCHED,
                "./build",
                "release",
                "--dry-run",
                "--staged",
                published.repository().toString()));
    release = source.resolve("target/release");
  }

  @Test
  void theDryRunMakesAllOfARelease() throws IOException {
    ran.orFail();
    assertTrue(ran.out().contains("bundle.zip is what Maven Central demands"), ran::out);
    assertTrue(ran.out().contains("no tag yet, nothing to compare with"), ran::out);
    String v = Published.VERSION;
    for (String file :
        List.of(
            "quern-" + v + ".zip",
            "quern-" + v + ".tar.gz",
            "quern-" + v + "-" + Published.platform() + ".tar.gz",
            "quern-" + v + "-sbom.json",
            "quern-dist-" + v + "-sbom.json",
            "Dockerfile")) {
      assertTrue(Files.size(release.resolve("files").resolve(file)) > 500, file);
      assertTrue(Files.size(release.resolve("signatures").resolve(file + ".asc")) > 100, file);
      String sums = Files.readString(release.resolve("signatures/checksums_sha256.txt"));
      assertTrue(sums.contains("  " + file + "\n"), file + " is not in\n" + sums);
    }
    String notes = Files.readString(release.resolve("notes.md"));
    assertTrue(notes.contains("### Added"), notes);
    assertFalse(notes.contains("\n## "), notes);
    assertFalse(notes.contains("](docs/"), notes);
  }

  /// Every library that the archives hold, and every artifact that is published.
  @Test
  void theBillsOfMaterialsNameWhatIsShipped() throws IOException {
    ran.orFail();
    String dist = sbom("quern-dist-" + Published.VERSION + "-sbom.json");
    List<String> missing = new ArrayList<>();
    int jars = 0;
    try (ZipFile zip =
        new ZipFile(release.resolve("files/quern-" + Published.VERSION + ".zip").toFile())) {
      for (ZipEntry entry : zip.stream().filter(e -> e.getName().endsWith(".jar")).toList()) {
        jars++;
        String name = entry.getName().substring(entry.getName().lastIndexOf('/') + 1);
        int version = name.replaceFirst("-[0-9].*", "").length();
        String purl =
            "/"
                + name.substring(0, version)
                + "@"
                + name.substring(version + 1, name.length() - 4)
                + "?type=jar";
        if (!dist.contains(purl)) {
          missing.add(name);
        }
      }
    }
    assertTrue(jars > 20, jars + " JARs");
    assertEquals(List.of(), missing, "JARs of the archive that its SBOM lacks");
    String all = sbom("quern-" + Published.VERSION + "-sbom.json");
    try (var artifacts = Files.list(published.repository().resolve("dev/quern"))) {
      for (Path artifact : artifacts.filter(a -> !a.endsWith("quern")).toList()) {
        assertTrue(
            all.contains("pkg:maven/dev.quern/" + artifact.getFileName() + "@"),
            artifact::toString);
      }
    }
    assertTrue(all.contains("jackson-core@"), all);
    assertFalse(
        all.contains("quern-benchmarks@"), "what is not published is in the SBOM of what is");
  }

  @Test
  void aBundleWithoutASignatureIsRefused() throws IOException {
    refused(API + ".jar.asc", old -> null, API + ".jar: has no signature");
  }

  @Test
  void aBundleWithAnEditedChecksumIsRefused() throws IOException {
    refused(API + ".pom.sha1", old -> "0".repeat(40), API + ".pom.sha1: says 0000");
  }

  @Test
  void aBundleWhosePomHasNoLicenceIsRefused() throws IOException {
    String root = "dev/quern/quern/" + Published.VERSION + "/quern-" + Published.VERSION + ".pom";
    refused(
        root,
        old -> old.replaceFirst("(?s)<licenses>.*</licenses>", ""),
        "says no licenses/license/name");
  }

  /// The dry run's own bundle with another text, or no file, in one place.
  private void refused(String name, UnaryOperator<String> edit, String fault) throws IOException {
    ran.orFail();
    Path broken = folder.resolve("broken.zip");
    boolean found = false;
    try (ZipFile zip = new ZipFile(release.resolve("bundle.zip").toFile());
        ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(broken))) {
      for (ZipEntry entry : zip.stream().toList()) {
        byte[] content;
        try (InputStream in = zip.getInputStream(entry)) {
          content = in.readAllBytes();
        }
        if (entry.getName().equals(name)) {
          found = true;
          String edited = edit.apply(new String(content, StandardCharsets.UTF_8));
          if (edited == null) {
            continue;
          }
          content = edited.getBytes(StandardCharsets.UTF_8);
        }
        out.putNextEntry(new ZipEntry(entry.getName()));
        out.write(content);
      }
    }
    assertTrue(found, name + " is not in the bundle");
    Command check =
        Command.jdk(
            "java",
            folder,
            "-cp",
            published.source().resolve("release/target/classes").toString(),
            "dev.quern.release.CheckBundle",
            broken.toString(),
            release.resolve("key.asc").toString());
    assertEquals(1, check.code(), check::out);
    assertTrue(check.err().contains(fault), check::err);
  }

  private static String sbom(String file) throws IOException {
    String text = Files.readString(release.resolve("files").resolve(file));
    assertTrue(text.contains("\"bomFormat\" : \"CycloneDX\""), text);
    return text;
  }

  private static void git(Path folder, String... words) throws IOException {
    List<String> all = new ArrayList<>(List.of("git"));
    all.addAll(List.of(words));
    Command.run(folder, all).orFail();
  }
}

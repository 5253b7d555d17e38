package dev.quern.release;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/// A bundle of one artifact, the BOM and the parent, right in all, and signed by a key of its own.
final class SmallBundle {
  static final String PARENT = "dev/quern/quern/1.0.0/quern-1.0.0";
  static final String BOM = "dev/quern/quern-bom/1.0.0/quern-bom-1.0.0";
  static final String API = "dev/quern/quern-api/1.0.0/quern-api-1.0.0";

  private static final String COMMON =
      """
        <url>https://example.org</url>
        <licenses><license><name>Apache-2.0</name><url>https://example.org/licence</url></license></licenses>
        <developers><developer><name>somebody</name></developer></developers>
        <scm><connection>scm:a</connection><developerConnection>scm:b</developerConnection><url>https://c</url></scm>
      """;

  private final Path folder;
  private final Key key;

  SmallBundle(Path folder, Key key) {
    this.folder = folder;
    this.key = key;
  }

  /// Writes it.
  ///
  /// @param before changes what is then signed and summed
  /// @param after changes all files, signatures and sums too
  Path zip(Consumer<Map<String, byte[]>> before, Consumer<Map<String, byte[]>> after)
      throws IOException {
    Map<String, byte[]> files = new TreeMap<>(artifacts());
    before.accept(files);
    for (Map.Entry<String, byte[]> file : List.copyOf(files.entrySet())) {
      files.put(file.getKey() + ".asc", key.sign(file.getValue()));
      CheckBundle.CHECKSUMS.forEach(
          (end, algorithm) -> files.put(file.getKey() + end, hex(algorithm, file.getValue())));
    }
    after.accept(files);
    Path zip = Files.createTempFile(folder, "bundle", ".zip");
    Files.write(zip, zipped(files));
    return zip;
  }

  private static Map<String, byte[]> artifacts() throws IOException {
    Map<String, byte[]> files = new TreeMap<>();
    files.put(PARENT + ".pom", pom("", "quern", "pom", COMMON));
    files.put(
        BOM + ".pom",
        pom(
            "",
            "quern-bom",
            "pom",
            COMMON
                + "<dependencyManagement><dependencies><dependency><groupId>dev.quern</groupId>"
                + "<artifactId>quern-api</artifactId><version>${project.version}</version>"
                + "</dependency></dependencies></dependencyManagement>"));
    files.put(
        API + ".pom",
        pom(
            "<parent><groupId>dev.quern</groupId><artifactId>quern</artifactId><version>1.0.0</version></parent>",
            "quern-api",
            "jar",
            "<dependencies><dependency><groupId>org.example</groupId><artifactId>other</artifactId>"
                + "<version>2.0</version></dependency></dependencies>"));
    files.put(API + ".jar", jar("dev/quern/Api.class"));
    files.put(API + "-sources.jar", jar("dev/quern/Api.java"));
    files.put(API + "-javadoc.jar", jar("index.html"));
    return files;
  }

  private static byte[] pom(String parent, String artifact, String packaging, String more) {
    String own = parent.isEmpty() ? "<groupId>dev.quern</groupId><version>1.0.0</version>" : parent;
    return bytes(
        "<project xmlns=\"http://maven.apache.org/POM/4.0.0\">\n"
            + own
            + "<artifactId>"
            + artifact
            + "</artifactId><packaging>"
            + packaging
            + "</packaging><name>A name</name><description>Words</description>\n"
            + more
            + "</project>\n");
  }

  static byte[] jar(String... names) throws IOException {
    Map<String, byte[]> files = new TreeMap<>();
    files.put("META-INF/LICENSE", bytes("licence"));
    files.put("META-INF/NOTICE", bytes("notice"));
    for (String name : names) {
      files.put(name, bytes("content"));
    }
    return zipped(files);
  }

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  static byte[] hex(String algorithm, byte[] content) {
    try {
      return bytes(HexFormat.of().formatHex(MessageDigest.getInstance(algorithm).digest(content)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private static byte[] zipped(Map<String, byte[]> files) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(out)) {
      for (Map.Entry<String, byte[]> file : files.entrySet()) {
        zip.putNextEntry(new ZipEntry(file.getKey()));
        zip.write(file.getValue());
      }
    }
    return out.toByteArray();
  }

  /// A key of GnuPG's, which lives in a folder.
  record Key(Path home, Path file) {
    static Key in(Path folder) throws IOException {
      Path home = Files.createTempDirectory(folder, "k"); // which nobody else can read
      Key key = new Key(home, folder.resolve("key.asc"));
      key.gpg(List.of("--quick-gen-key", "A test <nobody@localhost>", "ed25519", "sign", "1d"));
      key.gpg(List.of("--armor", "--output", key.file.toString(), "--export"));
      return key;
    }

    byte[] sign(byte[] content) throws IOException {
      Path file = Files.write(home.resolve("content"), content);
      Path signature = home.resolve("content.asc");
      Files.deleteIfExists(signature);
      gpg(List.of("--armor", "--output", signature.toString(), "--detach-sign", file.toString()));
      return Files.readAllBytes(signature);
    }

    /// Its agent would outlive the test.
    void close() throws IOException {
      run(List.of("gpgconf", "--homedir", home.toString(), "--kill", "gpg-agent"));
    }

    private void gpg(List<String> arguments) throws IOException {
      List<String> words =
          new ArrayList<>(
              List.of(
                  "gpg", "--homedir", home.toString(), "--batch", "--quiet", "--passphrase", ""));
      words.addAll(List.of("--pinentry-mode", "loopback"));
      words.addAll(arguments);
      run(words);
    }

    private static void run(List<String> words) throws IOException {
      Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
      process.getOutputStream().close();
      String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      try {
        if (process.waitFor() != 0) {
          throw new IOException(words + ": " + out);
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IOException("interrupted", e);
      }
    }
  }
}

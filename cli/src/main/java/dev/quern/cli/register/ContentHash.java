package dev.quern.cli.register;

import dev.quern.cli.console.Sha256;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;
import java.util.stream.Stream;

/// The hash of what a JAR or a folder of classes holds: the same for both, whenever and by whomever
/// the JAR was written.
///
/// It is the SHA-256 of one line for each file, sorted by name: `HASH NAME\n`, with HASH the file's
/// own SHA-256. `META-INF/MANIFEST.MF` and `META-INF/maven/`, which only JARs have, are left out.
public final class ContentHash {
  private ContentHash() {}

  /// @param path a JAR, or a folder
  public static String of(Path path) throws IOException {
    return of(path, "", name -> true);
  }

  /// @param below names begin with this
  /// @param which of the names
  static String of(Path path, String below, Predicate<String> which) throws IOException {
    Predicate<String> counted =
        name ->
            name.startsWith(below)
                && which.test(name)
                && !name.equals("META-INF/MANIFEST.MF")
                && !name.startsWith("META-INF/maven/");
    if (Files.isDirectory(path)) {
      return hash(path, counted);
    }
    try (FileSystem jar = FileSystems.newFileSystem(path)) {
      return hash(jar.getPath("/"), counted);
    } catch (java.nio.file.ProviderNotFoundException e) {
      throw new IOException(path + " is no JAR", e);
    }
  }

  private static String hash(Path root, Predicate<String> counted) throws IOException {
    MessageDigest all = Sha256.digest();
    List<String> names;
    try (Stream<Path> files = Files.walk(root)) {
      names =
          files
              .filter(Files::isRegularFile)
              .map(f -> root.relativize(f).toString().replace('\\', '/'))
              .filter(counted)
              .sorted()
              .toList();
    }
    for (String name : names) {
      MessageDigest one = Sha256.digest();
      try (InputStream in = Files.newInputStream(root.resolve(name));
          OutputStream out = new DigestOutputStream(OutputStream.nullOutputStream(), one)) {
        in.transferTo(out);
      }
      String line = String.format(Locale.ROOT, "%s %s%n", Sha256.hex(one.digest()), name);
      all.update(line.replace(System.lineSeparator(), "\n").getBytes(StandardCharsets.UTF_8));
    }
    return Sha256.hex(all.digest());
  }
}

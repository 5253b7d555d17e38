package dev.quern.provider.kleidi;

import java.io.IOException;
import java.io.InputStream;
import java.io.StringReader;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Locale;
import java.util.Optional;
import java.util.Properties;
import java.util.zip.CRC32;

/// The library out of a JAR: `META-INF/quern/native/OS-aarch64/libkleidiai.so` (`.dylib` on macOS),
/// and beside it `libkleidiai.properties`, a record of what it is. A library that is not what the
/// record says is not loaded: a JAR that was damaged, or put together of two, would otherwise end
/// the process somewhere in a kernel. It is compared by CRC-32, which takes a millisecond; the
/// SHA-256, which the record has too, takes a JVM that has just started eighty. Neither is a
/// signature: who makes the JAR makes the record. (`java.util.zip` does not look at a JAR's own
/// checksums.)
///
/// @param name the resource's
/// @param file the name of the library's file
/// @param jar where it comes from: the name of a JAR, module or folder
/// @param version KleidiAI's, as the record has it
/// @param crc32 the library's, as the record has it
record LibraryResource(String name, String file, String jar, String version, String crc32) {
  private static final String RECORD = "libkleidiai.properties";

  /// KleidiAI has a megabyte; what is far from it is something else, and is not unpacked.
  private static final int MAX_LIBRARY = 64 << 20;

  private static final int MAX_RECORD = 64 << 10;

  /// A library, or a record, that can't be used; the message says why, in a part of a line.
  static final class UnusableException extends Exception {
    private static final long serialVersionUID = 1;

    UnusableException(String reason) {
      super(reason);
    }
  }

  /// Looks for it, for an operating system, `linux` or `macos`.
  static Optional<LibraryResource> find(String os, ClassLoader resources)
      throws IOException, UnusableException {
    String file = os.equals("macos") ? "libkleidiai.dylib" : "libkleidiai.so";
    String folder = String.format(Locale.ROOT, "META-INF/quern/native/%s-aarch64/", os);
    URL url = resources.getResource(folder + file);
    if (url == null) {
      return Optional.empty();
    }
    String jar = holder(url.toString(), folder + file);
    String where = String.format(Locale.ROOT, "the resource %s of %s", folder + file, jar);
    Properties entries = record(where, folder + RECORD, resources);
    return Optional.of(
        new LibraryResource(
            folder + file,
            file,
            jar,
            entry(where, entries, "version", "[0-9A-Za-z][0-9A-Za-z.+~-]{0,39}"),
            entry(where, entries, "crc32", "[0-9a-f]{8}")));
  }

  /// As messages name it.
  String where() {
    return String.format(Locale.ROOT, "the resource %s of %s", name, jar);
  }

  /// As a report names it, once it is loaded.
  String origin() {
    return String.format(Locale.ROOT, "KleidiAI %s of %s", version, jar);
  }

  /// Writes the library to a file, which nobody else can read, if it is the recorded one.
  void copyTo(Path path, ClassLoader resources) throws IOException, UnusableException {
    byte[] bytes;
    try (InputStream in = resources.getResourceAsStream(name)) {
      bytes = in == null ? new byte[0] : in.readNBytes(MAX_LIBRARY + 1);
    } catch (IOException e) {
      throw new UnusableException(where() + " can't be unpacked: " + e.getMessage());
    }
    if (bytes.length > MAX_LIBRARY) {
      throw new UnusableException(
          String.format(Locale.ROOT, "%s: more than %d bytes", where(), MAX_LIBRARY));
    }
    CRC32 checksum = new CRC32();
    checksum.update(bytes);
    String actual = String.format(Locale.ROOT, "%08x", checksum.getValue());
    if (!actual.equals(crc32)) {
      throw new UnusableException(
          String.format(
              Locale.ROOT,
              "%s is damaged: %d bytes with the CRC-32 %s, expected %s, as recorded beside it",
              where(),
              bytes.length,
              actual,
              crc32));
    }
    Files.write(path, bytes);
    // Where the file may be executed and can't be, the file system holds no code: LibrarySearch.
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwx------"));
  }

  private static Properties record(String where, String name, ClassLoader resources)
      throws IOException, UnusableException {
    try (InputStream in = resources.getResourceAsStream(name)) {
      if (in == null) {
        throw new UnusableException(
            String.format(
                Locale.ROOT, "%s has no %s beside it, which says what it is", where, RECORD));
      }
      byte[] bytes = in.readNBytes(MAX_RECORD + 1);
      if (bytes.length > MAX_RECORD) {
        throw new UnusableException(
            String.format(Locale.ROOT, "%s: %s has more than %d bytes", where, RECORD, MAX_RECORD));
      }
      Properties entries = new Properties();
      entries.load(new StringReader(new String(bytes, StandardCharsets.UTF_8)));
      return entries;
    } catch (IllegalArgumentException e) {
      throw new UnusableException(
          String.format(Locale.ROOT, "%s: %s can't be read: %s", where, RECORD, e.getMessage()));
    }
  }

  /// What an entry of the record says. A report shows it, so that it must look like what it is.
  private static String entry(String where, Properties entries, String key, String pattern)
      throws UnusableException {
    String value = entries.getProperty(key, "").strip();
    if (!value.matches(pattern)) {
      throw new UnusableException(
          String.format(
              Locale.ROOT,
              "%s: %s has no %s that looks like one, expected %s=%s",
              where,
              RECORD,
              key,
              key,
              pattern));
    }
    return value;
  }

  /// The last name before the resource: `a.jar` of `jar:file:/x/a.jar!/META-INF/...`, the module of
  /// `jrt:/m/META-INF/...`.
  static String holder(String url, String resource) {
    String root = url.endsWith(resource) ? url.substring(0, url.length() - resource.length()) : url;
    String bare = root.replaceFirst("!?/*$", "");
    return bare.substring(bare.lastIndexOf('/') + 1);
  }
}

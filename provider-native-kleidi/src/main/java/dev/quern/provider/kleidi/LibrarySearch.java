package dev.quern.provider.kleidi;

import dev.quern.spi.Availability.Unavailable;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/// Finds and loads the library, from the first of these that is there:
///
/// 1. the file that `quern.kleidi.library` names;
/// 2. the resource `META-INF/quern/native/OS-aarch64/libkleidiai.so` (`.dylib` on macOS), which a
///    JAR of its own brings ([LibraryResource]);
/// 3. `libkleidiai.so` on the system's library path.
///
/// The first that is there must load: none is passed over in silence.
final class LibrarySearch {
  static final String PROPERTY = "quern.kleidi.library";

  private static final String REMEDY =
      "link one from Debian's libkleidiai-dev with link-kleidiai (docs/kleidi.md), and name it with -D"
          + PROPERTY
          + "=PATH";

  private static final String ANOTHER_FOLDER =
      "name a folder on another file system with -Djava.io.tmpdir=DIR";

  /// What was found.
  sealed interface Result permits Found, None {}

  /// A library.
  record Found(KleidiAi library, String where) implements Result {}

  /// None that can be used.
  record None(Unavailable why) implements Result {}

  private LibrarySearch() {}

  /// Looks for the library of an operating system, `linux` or `macos`, on aarch64.
  ///
  /// @param named what `quern.kleidi.library` says, if it is set
  /// @param resources where the resource is looked for
  static Result find(String os, Optional<String> named, ClassLoader resources) {
    return find(os, named, resources, Optional.empty());
  }

  /// @param temp where a library out of a JAR is unpacked, if not in the JVM's temporary folder
  static Result find(
      String os, Optional<String> named, ClassLoader resources, Optional<Path> temp) {
    try {
      if (named.isPresent()) {
        Path path = Path.of(named.get());
        return load(os, path, PROPERTY + "=" + path);
      }
      Optional<LibraryResource> resource = LibraryResource.find(os, resources);
      if (resource.isPresent()) {
        return extract(os, resource.get(), resources, temp);
      }
      return system(os);
    } catch (IllegalCallerException e) {
      return none(
          "native access is denied to it: " + e.getMessage(),
          "start the JVM with --enable-native-access="
              + (LibrarySearch.class.getModule().isNamed()
                  ? LibrarySearch.class.getModule().getName()
                  : "ALL-UNNAMED"));
    } catch (LibraryResource.UnusableException e) {
      return none(e.getMessage(), "get that JAR again, or " + REMEDY);
    } catch (IOException | RuntimeException e) {
      return none("its library can't be read: " + e, REMEDY);
    }
  }

  private static Result load(String os, Path path, String what) throws IOException {
    if (!Files.exists(path)) {
      return none(what + ": there is no such file", REMEDY);
    } else if (!Files.isRegularFile(path)) {
      return none(what + ": not a file", REMEDY);
    } else if (!Files.isReadable(path)) {
      return none(what + ": not readable by this process", "change its permissions");
    }
    String wrong = wrongFormat(os, path);
    if (!wrong.isEmpty()) {
      return none(what + ": " + wrong, REMEDY);
    }
    try {
      return new Found(open(path), what);
    } catch (IllegalArgumentException e) {
      return none(
          what + ": the system's loader refuses it (" + e.getMessage() + ")",
          "see what ldd says of it, or " + REMEDY);
    }
  }

  /// Loads a library from a file of its own in a new folder that only this user can enter. Both are
  /// deleted at once: what is loaded stays, and nothing is left behind however the process ends.
  private static Result extract(
      String os, LibraryResource resource, ClassLoader resources, Optional<Path> temp)
      throws IOException, LibraryResource.UnusableException {
    Path folder;
    try {
      folder =
          temp.isPresent()
              ? Files.createTempDirectory(temp.get(), "quern-kleidi")
              : Files.createTempDirectory("quern-kleidi");
    } catch (IOException e) {
      return none(
          resource.where() + " can't be unpacked in the temporary folder: " + e,
          "name one that can be written to with -Djava.io.tmpdir=DIR");
    }
    Path path = folder.resolve(resource.file());
    try {
      resource.copyTo(path, resources);
      // Linux says so of every file of a file system that is mounted noexec, to root too.
      if (!Files.isExecutable(path)) {
        return none(
            String.format(
                Locale.ROOT,
                "%s can't be loaded from the temporary folder %s: its file system takes no code (noexec)",
                resource.where(),
                folder.getParent()),
            ANOTHER_FOLDER);
      }
      return switch (load(os, path, resource.where())) {
        case Found(KleidiAi library, String _) -> new Found(library, resource.origin());
        case None none -> none;
      };
    } finally {
      Files.deleteIfExists(path);
      Files.delete(folder);
    }
  }

  @SuppressWarnings("restricted")
  private static Result system(String os) {
    String file = os.equals("macos") ? "libkleidiai.dylib" : "libkleidiai.so";
    try {
      return new Found(
          new KleidiAi(SymbolLookup.libraryLookup(file, Arena.ofAuto())),
          file + " of the system's library path");
    } catch (IllegalArgumentException e) {
      return none(
          String.format(
              Locale.ROOT, "there is no %s that loads on the system's library path", file),
          String.format(
              Locale.ROOT,
              "add the JAR of quern-provider-native-kleidi with the classifier %s-aarch64, which brings it%s, or %s",
              os,
              LibrarySearch.class.getModule().isNamed()
                  ? " (--add-modules=dev.quern.kleidi." + os + ".aarch64)"
                  : "",
              REMEDY));
    }
  }

  /// The arena is automatic: the library stays until no handle to its functions is left, and a
  /// program that loads models again and again doesn't pile up references to it.
  @SuppressWarnings("restricted")
  private static KleidiAi open(Path path) {
    return new KleidiAi(SymbolLookup.libraryLookup(path.toAbsolutePath(), Arena.ofAuto()));
  }

  private static Result none(String reason, String remedy) {
    return new None(new Unavailable(reason, remedy));
  }

  /// Why the loader would not take the file, since its own message doesn't reach us; empty if there
  /// is nothing wrong. ELF: `e_type` at 16 (3: shared object), `e_machine` at 18 (183: aarch64).
  /// Mach-O: magic 0xFEEDFACF, CPU type at 4 (0x0100000C: arm64), or a universal file (0xCAFEBABE).
  static String wrongFormat(String os, Path path) throws IOException {
    byte[] head;
    try (InputStream in = Files.newInputStream(path)) {
      head = in.readNBytes(20);
    }
    ByteBuffer h = ByteBuffer.wrap(head).order(ByteOrder.LITTLE_ENDIAN);
    if (new String(head, StandardCharsets.ISO_8859_1).startsWith("!<arch>")) {
      return "a static archive, expected a shared library";
    } else if (head.length < 20) {
      return String.format(Locale.ROOT, "%d bytes, expected a shared library", head.length);
    } else if (os.equals("macos")) {
      boolean universal = h.getInt(0) == 0xBEBA_FECA;
      boolean arm = h.getInt(0) == 0xFEED_FACF && h.getInt(4) == 0x0100_000C;
      return universal || arm ? "" : "not a Mach-O library for arm64";
    } else if (h.getInt(0) != 0x464C_457F) {
      return "not an ELF file, expected a shared library for aarch64";
    } else if (head[4] != 2 || head[5] != 1 || h.getShort(18) != 183) {
      return String.format(
          Locale.ROOT,
          "an ELF file for %s, expected aarch64 (machine 183, 64 bits, little-endian)",
          h.getShort(18) == 62 ? "x86-64" : "machine " + Short.toUnsignedInt(h.getShort(18)));
    } else if (h.getShort(16) != 3) {
      return String.format(
          Locale.ROOT, "an ELF file of type %d, expected a shared library (3)", h.getShort(16));
    }
    return "";
  }
}

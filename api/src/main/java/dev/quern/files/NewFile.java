package dev.quern.files;

import static java.nio.file.LinkOption.NOFOLLOW_LINKS;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.Locale;
import java.util.Set;

/// A file on its way to its name, which it gets in [#finish()], whole and on the disk. Until then
/// it is `NAME.<16 hexadecimal digits>.part` in the same folder: a name that nobody can foresee, of
/// a file that did not exist, so that no link and no other writer can lead the bytes elsewhere. The
/// part is locked while it is written, and gone after [#close()], an exception, or a signal that
/// ends the JVM; only a process that is killed outright leaves it.
///
/// What may bear the name is a regular file, which is replaced and hands on its permissions, or
/// nothing. Devices, pipes, folders and symbolic links are refused: a link may lead anywhere, and
/// following it would let whoever made it choose the file.
///
/// ```java
/// try (NewFile file = NewFile.open(path, true)) {
///   file.write(bytes);
///   file.finish();
/// }
/// ```
///
/// One thread's; that thread may be any.
public final class NewFile implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger("dev.quern.files");

  private static final String PART = "\\.[0-9a-f]{16}\\.part";

  /// Longer names, in chars, are not repeated in a part's, which file systems limit to 255 bytes.
  private static final int LONGEST_STEM = 60;

  private final Path target;
  private final Path part;
  private final boolean replace;
  private final Thread hook = new Thread(this::abandon, "quern-output");
  private FileChannel channel;
  private boolean ended; // renamed or deleted

  private NewFile(Path target, boolean replace) {
    this.target = target;
    this.replace = replace;
    this.part =
        folder(target)
            .resolve(
                String.format(
                    Locale.ROOT, "%s.%016x.part", stem(target), new SecureRandom().nextLong()));
  }

  /// Begins a file.
  ///
  /// @param replace whether a file of that name, now or when this one is finished, is replaced
  /// @throws OutputException if [#check] refuses the name, another process is writing a file of
  ///   that name, or none can be made
  public static NewFile open(Path target, boolean replace) throws OutputException {
    check(target, replace);
    NewFile file = new NewFile(target, replace);
    try {
      file.lookAtOtherParts();
      file.create();
    } catch (IOException e) {
      file.close();
      throw file.problem(e);
    }
    return file;
  }

  /// Writes a whole file; one of that name is replaced.
  public static void write(Path target, byte[] bytes) throws OutputException {
    try (NewFile file = open(target, true)) {
      file.write(ByteBuffer.wrap(bytes));
      file.finish();
    }
  }

  /// What will be refused, for those who want to know before they compute what is to be written.
  ///
  /// @param replace whether a file of that name may be there
  public static void check(Path target, boolean replace) throws OutputException {
    Path folder = target.toAbsolutePath().getParent();
    if (folder == null || target.getFileName().toString().isEmpty()) {
      throw new OutputException(target + ": expected the name of a file");
    }
    if (!Files.isDirectory(folder)) {
      throw new OutputException(
          String.format(Locale.ROOT, "%s: no folder %s, expected one that exists", target, folder));
    }
    try {
      requireFile(target, Files.readAttributes(target, BasicFileAttributes.class, NOFOLLOW_LINKS));
      if (!replace) {
        throw new OutputException(target + " exists, expected no such file");
      }
    } catch (NoSuchFileException _) {
      // as it should be
    } catch (OutputException e) {
      throw e;
    } catch (IOException e) {
      throw problem(target, e);
    }
    if (!Files.isWritable(folder)) {
      throw new OutputException(
          String.format(
              Locale.ROOT,
              "%s: folder %s can't be written: no permission, or read-only",
              target,
              folder));
    }
  }

  /// Appends what remains of a buffer.
  public void write(ByteBuffer bytes) throws OutputException {
    try {
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
    } catch (IOException e) {
      throw problem(e);
    }
  }

  /// Gives the file its name. Its bytes reach the disk first, so that a power cut can't leave the
  /// name to half a file.
  ///
  /// @throws OutputException also if something that may not be replaced has that name by now
  public void finish() throws OutputException {
    try {
      channel.force(true);
      channel.close();
      synchronized (this) {
        if (ended) {
          throw new IOException("the JVM is ending");
        }
        check(target, replace);
        if (replace) {
          Files.move(part, target, StandardCopyOption.ATOMIC_MOVE);
        } else {
          Files.move(part, target); // within a folder it is one rename, too
        }
        ended = true;
      }
    } catch (IOException e) {
      throw problem(e);
    } finally {
      close();
    }
  }

  /// Deletes what was written, unless it was finished.
  @Override
  public void close() throws OutputException {
    try {
      if (channel != null) {
        channel.close();
      }
      delete();
    } catch (IOException e) {
      throw problem(e);
    } finally {
      try {
        Runtime.getRuntime().removeShutdownHook(hook);
      } catch (IllegalStateException _) {
        // The JVM is ending: the hook runs, and finds nothing left to do.
      }
    }
  }

  private void create() throws IOException {
    // Before there is anything to delete: once the JVM is ending this throws, and nothing is made.
    Runtime.getRuntime().addShutdownHook(hook);
    synchronized (this) {
      if (ended) {
        throw new IOException("the JVM is ending");
      }
      Set<OpenOption> options =
          Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE, NOFOLLOW_LINKS);
      PosixFileAttributeView old = permissions(target);
      if (old == null || !Files.exists(target, NOFOLLOW_LINKS)) {
        channel = FileChannel.open(part, options);
      } else {
        Set<PosixFilePermission> wanted = old.readAttributes().permissions();
        FileAttribute<?> atMost = PosixFilePermissions.asFileAttribute(wanted);
        channel = FileChannel.open(part, options, atMost); // less the umask, so never too many
        permissions(part).setPermissions(wanted);
      }
    }
    lock(channel);
  }

  /// The JVM is ending. The channel stays open: its thread may still write, to no name.
  private void abandon() {
    try {
      delete();
    } catch (IOException e) {
      LOG.log(System.Logger.Level.WARNING, () -> part + " can't be deleted: " + e);
    }
  }

  private synchronized void delete() throws IOException {
    if (!ended) {
      ended = true;
      if (channel != null) {
        Files.deleteIfExists(part);
      }
    }
  }

  /// Refuses a file that another process is writing now, and names what one that was killed left.
  private void lookAtOtherParts() throws IOException {
    String stem = stem(target);
    DirectoryStream.Filter<Path> parts =
        path -> {
          String name = path.getFileName().toString();
          return name.startsWith(stem)
              && name.substring(stem.length()).matches(PART)
              && Files.isRegularFile(path, NOFOLLOW_LINKS);
        };
    try (DirectoryStream<Path> others = Files.newDirectoryStream(folder(target), parts)) {
      for (Path other : others) {
        if (isLocked(other)) {
          throw new OutputException(
              String.format(
                  Locale.ROOT,
                  "%s: another process is writing it (%s); wait for it, or name another file",
                  target,
                  other.getFileName()));
        }
        LOG.log(
            System.Logger.Level.WARNING,
            () -> other + " was left by a process that was killed; it can be deleted");
      }
    }
  }

  private static boolean isLocked(Path part) throws IOException {
    try (FileChannel channel = FileChannel.open(part, StandardOpenOption.WRITE, NOFOLLOW_LINKS)) {
      return !lock(channel);
    } catch (NoSuchFileException _) {
      return false; // finished meanwhile
    } catch (FileSystemException _) {
      return false; // of another user: nobody can tell, and nobody's bytes can mix
    }
  }

  /// Tries to lock a file until its channel is closed.
  ///
  /// @return false if somebody else has
  private static boolean lock(FileChannel channel) {
    try {
      FileLock lock = channel.tryLock();
      return lock != null;
    } catch (OverlappingFileLockException _) {
      return false; // another thread of this JVM
    } catch (IOException _) {
      return true; // a file system without locks: of two writers the last one's whole file stays
    }
  }

  private static void requireFile(Path target, BasicFileAttributes attributes) throws IOException {
    if (attributes.isSymbolicLink()) {
      throw new OutputException(
          String.format(
              Locale.ROOT,
              "%s is a symbolic link to %s, expected a regular file or nothing: name the file itself",
              target,
              Files.readSymbolicLink(target)));
    }
    if (!attributes.isRegularFile()) {
      throw new OutputException(
          String.format(
              Locale.ROOT,
              "%s is a %s, expected a regular file or nothing",
              target,
              attributes.isDirectory() ? "folder" : "device, pipe or socket"));
    }
  }

  /// Null where the file system has no such permissions.
  private static PosixFileAttributeView permissions(Path path) {
    return Files.getFileAttributeView(path, PosixFileAttributeView.class, NOFOLLOW_LINKS);
  }

  private static Path folder(Path target) {
    return target.toAbsolutePath().getParent();
  }

  private static String stem(Path target) {
    String name = target.getFileName().toString();
    return name.length() <= LONGEST_STEM
        ? name
        : String.format(Locale.ROOT, "quern-%08x", name.hashCode());
  }

  private OutputException problem(IOException e) {
    return problem(target, e);
  }

  private static OutputException problem(Path target, IOException e) {
    if (e instanceof OutputException known) {
      return known;
    }
    if (e instanceof FileAlreadyExistsException) {
      return new OutputException(target + " exists, expected no such file", e);
    }
    // A file's exception names the file, which may be the part; the system's words are the reason.
    String reason =
        switch (e) {
          case AccessDeniedException _ -> "no permission";
          case FileSystemException f -> f.getReason();
          default -> e.getMessage();
        };
    return new OutputException(
        String.format(
            Locale.ROOT, "%s can't be written: %s", target, reason == null ? e.toString() : reason),
        e);
  }
}

package dev.quern.conformance.run;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Inputs that lie in a mapped file, as a model's weights do, and are read-only to Java; the rest
/// lies elsewhere. It finds a write even if the byte got what it held, and whoever wrote, native
/// code too, which may write where Java may not.
///
/// The file is mapped twice. The suite writes to the one mapping; kernels get the other, which is
/// copy-on-write: from the first write on, a page of it is a copy of its own, and no longer shows
/// what the suite writes to the file. So the pages that still show it were never written to. (POSIX
/// leaves open whether untouched pages show it; Linux, macOS and Windows do. Each mapping is tried
/// once before a kernel gets it.)
public final class MappedMemory implements Memory {
  /// No page is smaller.
  private static final int PAGE_BYTES = 4096;

  private record Input(String name, MemorySegment file, MemorySegment copy) {}

  private final Memory others;
  private final Arena arena = Arena.ofShared();
  private final FileChannel channel;
  private final List<Input> inputs = new ArrayList<>();
  private long end; // bytes of the file in use

  /// @param others where everything else lies; closed with this
  /// @throws UncheckedIOException if no temporary file can be made
  public MappedMemory(Memory others) {
    this.others = others;
    try {
      Path file = Files.createTempFile("quern-conformance", ".bin");
      channel =
          FileChannel.open(
              file,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE,
              StandardOpenOption.DELETE_ON_CLOSE);
    } catch (IOException e) {
      others.close();
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public MemorySegment allocate(String name, long bytes, long alignment) {
    return others.allocate(name, bytes, alignment);
  }

  /// Begins in a page of its own, at `alignment` and at no multiple of it that is even.
  @Override
  public synchronized Place input(String name, long bytes, long alignment) {
    long at = end + alignment;
    end = Math.ceilDiv(at + bytes, PAGE_BYTES) * PAGE_BYTES;
    try {
      MemorySegment file = channel.map(MapMode.READ_WRITE, at, bytes, arena);
      MemorySegment copy = channel.map(MapMode.PRIVATE, at, bytes, arena);
      Input input = new Input(name, file, copy);
      if (writtenPage(input) >= 0) {
        throw new IOException("a private mapping does not show what the file holds");
      }
      inputs.add(input);
      return new Place(file, ordinary(copy).asReadOnly());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// A mapping is a class of segments of its own. Where one line of a kernel meets two of them, C2
  /// compiles it to something many times as slow, for the rest of the run.
  @SuppressWarnings("restricted")
  private MemorySegment ordinary(MemorySegment mapping) {
    return MemorySegment.ofAddress(mapping.address()).reinterpret(mapping.byteSize(), arena, null);
  }

  /// An input that was written to, if one was, and where.
  public synchronized Optional<String> written() {
    for (Input input : inputs) {
      long at = writtenPage(input);
      if (at >= 0) {
        return Optional.of(
            String.format(
                Locale.ROOT,
                "%s, somewhere in %d bytes from byte %d on",
                input.name,
                PAGE_BYTES,
                at));
      }
    }
    return Optional.empty();
  }

  /// The first page that no longer shows what the file holds, as an offset, or -1. The file is as
  /// it was afterwards.
  private static long writtenPage(Input input) {
    MemorySegment file = input.file;
    for (long at = 0; at < file.byteSize(); ) {
      byte held = file.get(JAVA_BYTE, at);
      file.set(JAVA_BYTE, at, (byte) (input.copy.get(JAVA_BYTE, at) + 1));
      boolean copied = file.get(JAVA_BYTE, at) != input.copy.get(JAVA_BYTE, at);
      file.set(JAVA_BYTE, at, held);
      if (copied) {
        return at;
      }
      at += PAGE_BYTES - (input.copy.address() + at) % PAGE_BYTES;
    }
    return -1;
  }

  @Override
  public List<Overrun> overruns() {
    return others.overruns();
  }

  @Override
  public synchronized void close() {
    if (!arena.scope().isAlive()) {
      return;
    }
    arena.close();
    others.close();
    try {
      channel.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}

package dev.quern.llama.gguf;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;

/// Where the bytes of a GGUF file are: on a disk, or in memory.
interface GgufSource {
  /// Of an in-memory file's tensors, whose kernels may want more than a file's 32 bytes.
  int MEMORY_ALIGNMENT = 64;

  long size() throws IOException;

  /// Bytes for reading, for as long as the arena lives, whatever becomes of the source.
  MemorySegment map(long offset, long bytes, Arena arena) throws IOException;

  /// Whether it is a file that others can open too.
  boolean onDisk();

  void close() throws IOException;

  /// A file, open for reading.
  static GgufSource of(FileChannel channel) {
    return new GgufSource() {
      @Override
      public long size() throws IOException {
        return channel.size();
      }

      @Override
      public MemorySegment map(long offset, long bytes, Arena arena) throws IOException {
        return channel.map(MapMode.READ_ONLY, offset, bytes, arena);
      }

      @Override
      public boolean onDisk() {
        return true;
      }

      @Override
      public void close() throws IOException {
        channel.close();
      }
    };
  }

  /// A file's bytes; what is mapped is a copy.
  static GgufSource of(byte[] file) {
    return new GgufSource() {
      @Override
      public long size() {
        return file.length;
      }

      @Override
      public MemorySegment map(long offset, long bytes, Arena arena) {
        MemorySegment copy = arena.allocate(bytes, MEMORY_ALIGNMENT);
        MemorySegment.copy(MemorySegment.ofArray(file), offset, copy, 0, bytes);
        return copy.asReadOnly();
      }

      @Override
      public boolean onDisk() {
        return false;
      }

      @Override
      public void close() {}
    };
  }
}

package dev.quern.llama.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.util.Locale;

/// Reads the structure of a file: small ranges, copied, so that a file that shrinks is an error and
/// no fault of a mapping.
///
/// @param file what messages call it
record FileBytes(String file, FileChannel channel) {

  long size() throws IOException {
    return channel.size();
  }

  /// A copy of a range, little-endian.
  ///
  /// @throws CheckpointException where the file ends before
  ByteBuffer read(long offset, int count) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(count).order(ByteOrder.LITTLE_ENDIAN);
    while (buffer.hasRemaining()) {
      if (channel.read(buffer, offset + buffer.position()) < 0) {
        throw new CheckpointException(
            String.format(
                Locale.ROOT,
                "%s: byte %d: the file ends, expected %d bytes more: it is cut short",
                file,
                offset + buffer.position(),
                buffer.remaining()));
      }
    }
    return buffer.flip();
  }
}

package dev.quern.cli.console;

import java.io.ByteArrayOutputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;

/// Standard input that knows what was read of it, for a program that takes this one's place.
final class RecordedInput extends FilterInputStream {
  private static final int MOST_BYTES = 32 << 20; // more than a prompt has

  private final ByteArrayOutputStream read = new ByteArrayOutputStream();
  private boolean tooMuch;

  RecordedInput(InputStream in) {
    super(in);
  }

  /// All that was read; empty where that is more than is kept.
  Optional<byte[]> bytes() {
    return tooMuch ? Optional.empty() : Optional.of(read.toByteArray());
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : Byte.toUnsignedInt(one[0]);
  }

  @Override
  public int read(byte[] bytes, int from, int length) throws IOException {
    int count = super.read(bytes, from, length);
    if (count > 0 && !tooMuch) {
      read.write(bytes, from, count);
      tooMuch = read.size() > MOST_BYTES;
      if (tooMuch) {
        read.reset();
      }
    }
    return count;
  }

  @Override
  public long skip(long count) {
    throw new UnsupportedOperationException("what is skipped would not be known");
  }
}

package dev.quern.cli.console;

import java.io.IOException;
import java.io.OutputStream;

/// Takes so many bytes, then fails as the operating system does.
public final class FullStream extends OutputStream {
  private int left;

  public FullStream(int left) {
    this.left = left;
  }

  @Override
  public void write(int b) throws IOException {
    if (left-- <= 0) {
      throw new IOException("No space left on device");
    }
  }
}

package dev.quern.cli.console;

import dev.quern.QuernException;
import java.io.IOException;
import java.io.OutputStream;

/// Standard output that ends the command as soon as it can't be written, since nobody will see the
/// rest: a `PrintStream` keeps an [IOException] to itself, and lets [Failure] through.
public final class StandardOutput extends OutputStream {
  /// Standard output can't be written.
  public static final class Failure extends QuernException {
    private static final long serialVersionUID = 1L;

    /// Whether its reader has gone, as `head` does: no mistake, and nothing to tell the user.
    final boolean readerGone;

    Failure(IOException cause, boolean readerGone) {
      super("standard output: " + cause.getMessage(), cause);
      this.readerGone = readerGone;
    }
  }

  /// A call of the operating system's.
  @FunctionalInterface
  private interface Call {
    void run() throws IOException;
  }

  private final OutputStream out;
  private final StandardStream kind;
  private IOException failure; // the first: there is no writing after it

  StandardOutput(OutputStream out, StandardStream kind) {
    this.out = out;
    this.kind = kind;
  }

  @Override
  public void write(int b) {
    checked(() -> out.write(b));
  }

  @Override
  public void write(byte[] bytes, int from, int length) {
    checked(() -> out.write(bytes, from, length));
  }

  /// Says nothing again of a failure that whoever wrote has heard of.
  @Override
  public void flush() {
    if (failure == null) {
      checked(out::flush);
    }
  }

  private void checked(Call call) {
    if (failure == null) {
      try {
        call.run();
        return;
      } catch (IOException e) {
        failure = e;
      }
    }
    // Of a pipe nothing else can fail, and the system's words may be in the user's language. A new
    // one each time: whoever closes what failed adds the second to the first.
    throw new Failure(failure, kind == StandardStream.PIPE);
  }
}

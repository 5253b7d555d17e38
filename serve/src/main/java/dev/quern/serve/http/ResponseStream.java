package dev.quern.serve.http;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Response;

/// An answer that comes in parts, each sent at once. Any thread may write; a write waits until the
/// client's side of the connection has taken it, and fails if that takes longer than the idle
/// timeout.
public final class ResponseStream {
  private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

  private final Response response;

  ResponseStream(Response response) {
    this.response = response;
  }

  /// Sends a part.
  ///
  /// @throws UncheckedIOException if the client is gone
  public void write(String part) {
    write(false, ByteBuffer.wrap(part.getBytes(StandardCharsets.UTF_8)));
  }

  /// The answer is whole.
  ///
  /// @throws UncheckedIOException if the client is gone
  public void end() {
    write(true, NOTHING.slice());
  }

  private synchronized void write(boolean last, ByteBuffer bytes) {
    try {
      Content.Sink.write(response, last, bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}

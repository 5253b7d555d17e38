package dev.quern.serve.http;

/// Server-sent events, as WHATWG's HTML standard has them, each of one line of data. Any thread may
/// send. Behind an error and behind the end nothing is sent: of several answers in one stream those
/// that are withdrawn may say a word more.
public final class EventStream {
  private final ResponseStream stream;
  private boolean over; // guarded by this

  EventStream(ResponseStream stream) {
    this.stream = stream;
  }

  /// An event without a name: `data: JSON`.
  ///
  /// @throws java.io.UncheckedIOException if the client is gone
  public void send(Object value) {
    write("data: " + Json.text(value) + "\n\n");
  }

  /// An event with a name.
  ///
  /// @throws java.io.UncheckedIOException if the client is gone
  public void send(String event, Object value) {
    write("event: " + event + "\ndata: " + Json.text(value) + "\n\n");
  }

  /// The last event but the end: an error without a name.
  ///
  /// @throws java.io.UncheckedIOException if the client is gone
  public synchronized void fail(Object error) {
    send(error);
    over = true;
  }

  private synchronized void write(String event) {
    if (!over) {
      stream.write(event);
    }
  }

  /// Ends as OpenAI's streams do: `data: [DONE]`.
  public synchronized void done() {
    over = true;
    stream.write("data: [DONE]\n\n");
    stream.end();
  }

  /// Ends without a word.
  public synchronized void end() {
    over = true;
    stream.end();
  }
}

package dev.quern.serve.http;

/// Server-sent events, as WHATWG's HTML standard has them, each of one line of data.
///
/// @since 0.1
/// @stability api
public final class EventStream {
  private final ResponseStream stream;

  EventStream(ResponseStream stream) {
    this.stream = stream;
  }

  /// An event without a name: `data: JSON`.
  ///
  /// @throws java.io.UncheckedIOException if the client is gone
  public void send(Object value) {
    stream.write("data: " + Json.text(value) + "\n\n");
  }

  /// An event with a name.
  ///
  /// @throws java.io.UncheckedIOException if the client is gone
  public void send(String event, Object value) {
    stream.write("event: " + event + "\ndata: " + Json.text(value) + "\n\n");
  }

  /// Ends as OpenAI's streams do: `data: [DONE]`.
  public void done() {
    stream.write("data: [DONE]\n\n");
    stream.end();
  }

  /// Ends without a word.
  public void end() {
    stream.end();
  }
}

package dev.quern.serve.openai;

import dev.quern.serve.http.EventStream;
import dev.quern.serve.http.Exchange;
import java.io.UncheckedIOException;

/// Errors in the middle of a stream, whose status is sent: the last event is the error object.
final class StreamErrors {
  private StreamErrors() {}

  /// What may throw anything.
  @FunctionalInterface
  interface Action {
    void run() throws Exception;
  }

  /// Runs what writes a stream's rest, and tells the client what it throws.
  static void telling(Exchange exchange, EventStream events, Action action) {
    try {
      action.run();
    } catch (UncheckedIOException e) { // nobody is there to be told
      throw e;
    } catch (Exception e) { // told and logged
      events.send(exchange.failed(e));
    }
  }
}

package dev.quern.serve;

import dev.quern.QuernException;
import dev.quern.llama.error.PromptException;
import dev.quern.llama.error.QueueFullException;
import dev.quern.serve.http.Failures;
import dev.quern.serve.http.HttpFailure;

/// What a client is told of what an engine throws.
final class EngineFailures implements Failures {
  @Override
  public HttpFailure of(Throwable thrown) {
    return switch (thrown) {
      case HttpFailure e -> e;
      case QueueFullException e ->
          caused(HttpFailure.of(429, "queue_full", e.getMessage()).with("Retry-After", "1"), e);
      case PromptException e ->
          caused(HttpFailure.of(400, "context_length_exceeded", e.getMessage()), e);
      case QuernException e -> blamed(e);
      default -> internal(thrown);
    };
  }

  private static HttpFailure blamed(QuernException e) {
    return switch (e.blame()) {
      case CALLER -> caused(HttpFailure.of(400, "invalid_request", e.getMessage()), e);
      case BUSY -> caused(HttpFailure.of(429, "busy", e.getMessage()).with("Retry-After", "1"), e);
      case SETUP -> caused(HttpFailure.of(503, "not_possible", e.getMessage()), e);
      case DEFECT -> internal(e);
    };
  }

  /// What went wrong is for the log: it may tell of the machine.
  private static HttpFailure internal(Throwable thrown) {
    return caused(
        HttpFailure.of(
            500,
            "internal_error",
            "the server failed; its log has the reason under this response's X-Request-Id"),
        thrown);
  }

  private static HttpFailure caused(HttpFailure failure, Throwable cause) {
    return failure.because(cause);
  }
}

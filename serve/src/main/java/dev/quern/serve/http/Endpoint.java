package dev.quern.serve.http;

/// What answers a request, on a virtual thread of its own, so that it may block.
@FunctionalInterface
public interface Endpoint {
  /// Answers once: with one of the exchange's `send` methods, or by a stream.
  ///
  /// @throws HttpFailure what the client is told
  /// @throws Exception what is a defect: the client is told no more than the request's id
  void answer(Exchange exchange) throws Exception;
}

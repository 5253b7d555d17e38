package dev.quern.serve.http;

/// What a client is told of an exception.
///
/// @since 0.1
/// @stability api
@FunctionalInterface
public interface Failures {
  HttpFailure of(Throwable thrown);
}

package dev.quern.serve.http;

/// What a client is told of an exception.
@FunctionalInterface
public interface Failures {
  HttpFailure of(Throwable thrown);
}

package dev.quern.langchain4j;

import dev.langchain4j.exception.InternalServerException;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.LangChain4jException;
import dev.langchain4j.exception.NonRetriableException;
import dev.langchain4j.exception.RateLimitException;
import dev.quern.QuernException;
import java.util.concurrent.Callable;

/// Quern's exceptions as LangChain4j's, by whose they are. Each has Quern's message, and its
/// exception as cause.
final class Failures {
  private Failures() {}

  /// A mistake in a setting of the model or the machine is not mended by another try.
  static RuntimeException mapped(RuntimeException failure) {
    if (failure instanceof QuernException e) {
      return switch (e.blame()) {
        case CALLER -> new InvalidRequestException(e.getMessage(), e);
        case BUSY -> new RateLimitException(e.getMessage(), e);
        case SETUP -> new NonRetriableException(e.getMessage(), e);
        case DEFECT -> new InternalServerException(e.getMessage(), e);
      };
    }
    return failure;
  }

  /// Does something, and throws LangChain4j's exceptions.
  ///
  /// @throws LangChain4jException also where the thread is interrupted; it stays so
  static <T> T mapping(Callable<T> action) {
    try {
      return action.call();
    } catch (RuntimeException e) {
      throw mapped(e);
    } catch (InterruptedException e) {
      throw interrupted(e);
    } catch (Exception e) { // no action throws another one
      throw new LangChain4jException(e);
    }
  }

  static LangChain4jException interrupted(InterruptedException cause) {
    Thread.currentThread().interrupt();
    return new LangChain4jException("the thread was interrupted: its request is cancelled", cause);
  }
}

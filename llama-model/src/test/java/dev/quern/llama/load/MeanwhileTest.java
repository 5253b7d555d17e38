package dev.quern.llama.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/// What comes out of work on another thread, and when.
class MeanwhileTest {
  private final IOException failure = new IOException("broken");

  @Test
  void joinGivesTheResult() throws Exception {
    try (Meanwhile<Integer> work = Meanwhile.start("test", () -> 42)) {
      assertEquals(42, work.join());
    }
  }

  @Test
  @SuppressWarnings("try") // a resource that nothing refers to
  void closeWaitsForWorkThatNobodyJoined() throws Exception {
    CountDownLatch begun = new CountDownLatch(1);
    AtomicBoolean ended = new AtomicBoolean();
    try (Meanwhile<Void> work =
        Meanwhile.start(
            "test",
            () -> {
              begun.await();
              Thread.sleep(50);
              ended.set(true);
              return null;
            })) {
      begun.countDown();
    }
    assertTrue(ended.get());
  }

  /// Thrown once: a failure can't be its own suppressed one.
  @Test
  void aFailureComesOutAsItIs() {
    IOException thrown =
        assertThrows(
            IOException.class,
            () -> {
              try (Meanwhile<Void> work = Meanwhile.start("test", this::fail)) {
                work.join();
              }
            });
    assertSame(failure, thrown);
    assertEquals(0, thrown.getSuppressed().length);
  }

  @Test
  @SuppressWarnings("try") // a resource that nothing refers to
  void aFailureBesidesTheCallersIsNotLost() {
    IllegalStateException thrown =
        assertThrows(
            IllegalStateException.class,
            () -> {
              try (Meanwhile<Void> work = Meanwhile.start("test", this::fail)) {
                throw new IllegalStateException("the caller's");
              }
            });
    assertSame(failure, thrown.getSuppressed()[0]);
  }

  /// The JVM has one such object ready for all threads.
  @Test
  @SuppressWarnings("try") // a resource that nothing refers to
  void oneOutOfMemoryErrorOnTwoThreads() {
    OutOfMemoryError heap = new OutOfMemoryError("Java heap space");
    OutOfMemoryError thrown =
        assertThrows(
            OutOfMemoryError.class,
            () -> {
              try (Meanwhile<Void> work =
                  Meanwhile.start(
                      "test",
                      () -> {
                        throw heap;
                      })) {
                throw heap;
              }
            });
    assertSame(heap, thrown);
    assertEquals("Java heap space", thrown.getSuppressed()[0].getMessage());
  }

  @Test
  void anInterruptedThreadWaitsAndStaysInterrupted() throws Exception {
    try (Meanwhile<Integer> work =
        Meanwhile.start(
            "test",
            () -> {
              Thread.sleep(50);
              return 42;
            })) {
      Thread.currentThread().interrupt();
      assertEquals(42, work.join());
      assertTrue(Thread.interrupted());
    }
  }

  private Void fail() throws IOException {
    throw failure;
  }
}

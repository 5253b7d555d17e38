package dev.quern.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.quern.llama.EngineMetrics;
import dev.quern.llama.EngineOptions;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.URI;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import org.junit.jupiter.api.Test;

/// Many clients at once, some of them hostile: every honest one is answered rightly, and nothing is
/// left. `-Dquern.abuse.seconds=300` goes on for so long.
class AbuseTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int CLIENTS = 64;
  private static final int SECONDS = Integer.getInteger("quern.abuse.seconds", 0);
  private static final String ASK =
      "{\"prompt\":\"Once upon a time\",\"max_tokens\":20,\"temperature\":0}";

  @FunctionalInterface
  private interface Abuse {
    void go(URI address) throws Exception;
  }

  private static final List<Abuse> ABUSES =
      List.of(
          a -> { // half a request
            try (Raw raw = new Raw(a)) {
              raw.write(Raw.post("/v1/completions", 100) + "{\"prompt\"");
            }
          },
          a -> { // a body that is too large, as far as it is taken
            try (Raw raw = new Raw(a)) {
              raw.write(Raw.post("/v1/completions", 10_000_000));
              String part = "x".repeat(100_000);
              try {
                for (int i = 0; i < 100; i++) {
                  raw.write(part);
                }
              } catch (IOException _) { // refused before its end
                return;
              }
            }
          },
          a -> answered(a, "{\"prompt\":" + "[".repeat(100_000), "400"),
          a -> answered(a, new byte[] {'{', '"', (byte) 0xc3, '"', ':', '1', '}'}, "400"),
          a -> answered(a, "{\"prompt\":\"\\ud800\",\"max_tokens\":1}", "200"),
          a -> answered(a, schemaBomb(), "200"), // compiled, and cut off
          a -> { // no HTTP
            try (Raw raw = new Raw(a)) {
              raw.write("\0\1\2\3\r\n\r\n");
              raw.readAll();
            }
          },
          a -> { // reads byte by byte, and leaves
            try (Raw raw = Raw.slow(a)) {
              String body = "{\"prompt\":\"Once\",\"max_tokens\":200,\"stream\":true}";
              raw.write(Raw.post("/v1/completions", body.length()) + body);
              for (int i = 0; i < 20; i++) {
                raw.readUntil("");
                Thread.sleep(50);
              }
            }
          },
          a -> { // reads nothing, and leaves
            try (Raw raw = new Raw(a)) {
              String body = "{\"prompt\":\"Once\",\"max_tokens\":200,\"stream\":true,\"n\":4}";
              raw.write(Raw.post("/v1/completions", body.length()) + body);
              Thread.sleep(50);
              raw.reset();
            }
          });

  private static void answered(URI address, String body, String status) throws Exception {
    answered(address, body.getBytes(java.nio.charset.StandardCharsets.UTF_8), status);
  }

  private static void answered(URI address, byte[] body, String status) throws Exception {
    try (Raw raw = new Raw(address)) {
      raw.write(Raw.post("/v1/completions", body.length));
      raw.write(body);
      String line = raw.readUntil("\r\n");
      assertTrue(line.startsWith("HTTP/1.1 " + status), line);
    }
  }

  /// Each level twice the one below.
  private static String schemaBomb() {
    StringBuilder definitions = new StringBuilder("\"d0\":{\"type\":\"string\"}");
    for (int i = 1; i < 60; i++) {
      String ref = "{\"$ref\":\"#/$defs/d" + (i - 1) + "\"}";
      definitions
          .append(",\"d" + i + "\":{\"type\":\"object\",\"properties\":{\"a\":")
          .append(ref)
          .append(",\"b\":")
          .append(ref)
          .append("},\"required\":[\"a\",\"b\"],\"additionalProperties\":false}");
    }
    return "{\"prompt\":\"Once\",\"max_tokens\":5,\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"schema\":{\"$defs\":{"
        + definitions
        + "},\"$ref\":\"#/$defs/d59\"}}}}";
  }

  @Test
  void honestClientsAreAnsweredRightlyAmongHostileOnes() throws Exception {
    EngineOptions engine = EngineOptions.defaults().withSequences(8).withPrefixes(4).withQueue(200);
    try (TestServer server = TestServer.start(http -> http, m -> m.withEngine(engine))) {
      String alone = text(server.post("/v1/completions", ASK));
      Left before = Left.now();
      LongAdder abused = new LongAdder();
      AtomicBoolean over = new AtomicBoolean();
      List<CompletableFuture<Void>> hostile = new ArrayList<>();
      for (Abuse abuse : ABUSES) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        hostile.add(done);
        Thread.ofVirtual()
            .start(() -> {
              try {
                do {
                  abuse.go(server.server.address());
                  abused.increment();
                } while (!over.get());
                done.complete(null);
              } catch (Throwable t) { // told below
                done.completeExceptionally(t);
              }
            });
      }
      long end = System.nanoTime() + SECONDS * 1_000_000_000L;
      LongAdder answers = new LongAdder();
      List<Future<?>> honest = new ArrayList<>();
      try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
        for (int i = 0; i < CLIENTS; i++) {
          honest.add(
              threads.submit(() -> {
                do {
                  assertEquals(alone, text(server.post("/v1/completions", ASK)));
                  answers.increment();
                } while (System.nanoTime() < end);
                return null;
              }));
        }
      }
      for (Future<?> one : honest) {
        one.get();
      }
      over.set(true);
      for (CompletableFuture<Void> one : hostile) {
        one.get();
      }
      assertEquals(alone, text(server.post("/v1/completions", ASK)));
      Thread.sleep(200);
      EngineMetrics metrics = server.server.models().loaded().getFirst().engine().metrics();
      assertEquals(0, metrics.running() + metrics.waiting(), metrics.toString());
      Left after = Left.now();
      System.err.printf(
          Locale.ROOT,
          "[quern] abuse: %d right answers and %d of others'; %s, then %s%n",
          answers.sum(),
          abused.sum(),
          before,
          after);
      // The client has some of its own, and so has the JVM; one for each connection would be
      // hundreds.
      assertTrue(after.threads() <= before.threads() + 64, "threads are left: " + after);
      assertTrue(after.heapMegabytes() <= before.heapMegabytes() + 64, "memory is left: " + after);
    }
  }

  /// What a process holds.
  private record Left(int threads, long heapMegabytes) {
    static Left now() {
      System.gc();
      long heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed() >> 20;
      return new Left(ManagementFactory.getThreadMXBean().getThreadCount(), heap);
    }
  }

  private static String text(HttpResponse<String> response) throws Exception {
    assertEquals(200, response.statusCode(), response.body());
    return JSON.readTree(response.body()).at("/choices/0/text").textValue();
  }
}

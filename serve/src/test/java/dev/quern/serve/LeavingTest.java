package dev.quern.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.llama.EngineMetrics;
import dev.quern.serve.model.LoadedModel;
import java.time.Duration;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// A client that leaves frees its places, whatever it waits for.
class LeavingTest {
  private static final int TOKENS = 200;
  private static final int CHOICES = 64;

  /// Minutes of work.
  private static final String LONG =
      "{\"prompt\":\"Once\",\"max_tokens\":"
          + TOKENS
          + ",\"n\":"
          + CHOICES
          + ",\"ignore_eos\":true,\"stream\":%s}";

  private static TestServer server;

  @BeforeAll
  static void start() throws Exception {
    server = TestServer.start();
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  @Test
  void ofAStreamThatIsReset() throws Exception {
    EngineMetrics before = metrics();
    Raw raw = asked("true");
    raw.readUntil("data: ");
    raw.reset();
    freed(before);
  }

  @Test
  void ofAStreamThatIsClosed() throws Exception {
    EngineMetrics before = metrics();
    try (Raw raw = asked("true")) {
      raw.readUntil("data: ");
    }
    freed(before);
  }

  @Test
  void ofAWholeAnswerOfWhichNothingIsWritten() throws Exception {
    EngineMetrics before = metrics();
    try (Raw _ = asked("false")) {
      await(m -> m.running() > 0);
    }
    freed(before);
  }

  @Test
  void theNextRequestOfAConnectionIsAnsweredThoughItComesBeforeTheAnswer() throws Exception {
    String body = "{\"prompt\":\"Once\",\"max_tokens\":20,\"ignore_eos\":true}";
    try (Raw raw = new Raw(server.server.address())) {
      String request = Raw.post("/v1/completions", body.length()) + body;
      raw.write(request);
      raw.write(request);
      raw.write("GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
      String all = raw.readAll();
      assertEquals(3, all.split("HTTP/1.1 200 OK", -1).length - 1, all);
    }
  }

  @Test
  void whoReadsNothingHoldsUpNobodyAndIsCutOff() throws Exception {
    try (TestServer own =
            TestServer.start(
                http -> http.withLimits(10_000, 8, Duration.ofSeconds(1)), models -> models);
        Raw raw = Raw.slow(own.server.address())) {
      LoadedModel model = own.server.models().loaded().getFirst();
      // Some 2 KB a token, so the system's buffers are soon full.
      String body =
          "{\"prompt\":\"Once\",\"max_tokens\":200,\"n\":128,\"ignore_eos\":true,\"stream\":true,\"logprobs\":20}";
      raw.write(Raw.post("/v1/completions", body.length()) + body);
      raw.readUntil("data: ");
      String brief = "{\"prompt\":\"Once\",\"max_tokens\":2}";
      assertEquals(400, own.post("/v1/completions", "{}").statusCode());
      long end = System.nanoTime() + Duration.ofSeconds(60).toNanos();
      while (model.engine().metrics().ended() < 128) {
        assertTrue(System.nanoTime() < end, () -> "it goes on: " + model.engine().metrics());
        Thread.sleep(20);
      }
      assertTrue(model.engine().metrics().generatedTokens() < 128 * 200, "it was cut off");
      assertEquals(200, own.post("/v1/completions", brief).statusCode());
    }
  }

  private static Raw asked(String stream) throws Exception {
    Raw raw = new Raw(server.server.address());
    String body = LONG.formatted(stream);
    raw.write(Raw.post("/v1/completions", body.length()) + body);
    return raw;
  }

  private static void freed(EngineMetrics before) throws InterruptedException {
    EngineMetrics after = await(m -> m.ended() >= before.ended() + CHOICES);
    assertEquals(0, after.running() + after.waiting(), after.toString());
    long generated = after.generatedTokens() - before.generatedTokens();
    assertTrue(generated < TOKENS * CHOICES / 2, () -> "it went on: " + generated);
  }

  private static EngineMetrics metrics() {
    return server.server.models().loaded().getFirst().engine().metrics();
  }

  private static EngineMetrics await(Predicate<EngineMetrics> state) throws InterruptedException {
    long end = System.nanoTime() + Duration.ofSeconds(30).toNanos();
    EngineMetrics metrics = metrics();
    while (!state.test(metrics)) {
      assertTrue(System.nanoTime() < end, "it does not come to that: " + metrics);
      Thread.sleep(5);
      metrics = metrics();
    }
    return metrics;
  }
}

package dev.quern.serve;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.llama.Engine;
import dev.quern.llama.EngineOptions;
import dev.quern.serve.options.ApiKeys;
import dev.quern.serve.options.ServeException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Who may ask, how much, and for how long.
class LimitsTest {
  private static final String SHORT = "{\"prompt\":\"Once\",\"max_tokens\":1}";
  private static final String LONG =
      "{\"prompt\":\"Once\",\"max_tokens\":200,\"n\":%d,\"ignore_eos\":true,\"stream\":%s}";
  private static final String KEY = "0123456789abcdef0123456789abcdef";

  @TempDir Path folder;

  @Test
  void keysAreAskedForEverywhereButForHealth() throws Exception {
    Path file = folder.resolve("keys");
    Files.writeString(file, "# mine\n\n" + KEY + "\nanother-key-of-mine\n");
    try (TestServer server =
        TestServer.start(http -> http.withKeys(ApiKeys.read(file)), models -> models)) {
      assertEquals(200, server.get("/health").statusCode());
      HttpResponse<String> none = server.post("/v1/completions", SHORT);
      assertEquals(401, none.statusCode());
      assertTrue(none.body().contains("authentication_error"), none.body());
      assertEquals("Bearer", none.headers().firstValue("WWW-Authenticate").orElseThrow());
      assertAll(
          Stream.of("Bearer " + KEY + "0", "Bearer ", "Basic " + KEY, KEY, "Bearer # mine")
              .map(key ->
                  () -> assertEquals(401, with(server, "/v1/models", "Authorization", key), key)));
      assertEquals(200, with(server, "/v1/models", "Authorization", "Bearer " + KEY));
      assertEquals(200, with(server, "/metrics", "Authorization", "bearer another-key-of-mine"));
      assertEquals(401, with(server, "/metrics", "X", "x"));
    }
  }

  @Test
  void filesOfKeysThatAreNoneAreRefused() throws Exception {
    Path file = folder.resolve("keys");
    Files.writeString(file, "# none\n");
    assertThrows(ServeException.class, () -> ApiKeys.read(file));
    Files.writeString(file, "short\n");
    ServeException e = assertThrows(ServeException.class, () -> ApiKeys.read(file));
    assertFalse(e.getMessage().contains("short\n"), e.getMessage());
    assertThrows(ServeException.class, () -> ApiKeys.read(folder.resolve("absent")));
  }

  private static int with(TestServer server, String path, String header, String value)
      throws Exception {
    return server.send(server.request(path).GET().header(header, value)).statusCode();
  }

  @Test
  void aNameOfTheWebIsNoNameOfThisMachine() throws Exception {
    try (TestServer server = TestServer.start()) {
      assertAll(
          Stream.of("localhost", "127.0.0.1", "LOCALHOST:8080", "[::1]:8080")
              .map(host -> () -> assertEquals("200", status(server, host), host)));
      assertAll(
          Stream.of("evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8080")
              .map(host -> () -> assertEquals("403", status(server, host), host)));
    }
  }

  private static String status(TestServer server, String host) throws Exception {
    try (Raw raw = new Raw(server.server.address())) {
      raw.write("GET /v1/models HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n");
      return raw.readAll().substring("HTTP/1.1 ".length()).substring(0, 3);
    }
  }

  @Test
  void webPagesMayAskOfNamedOriginsAlone() throws Exception {
    try (TestServer server =
        TestServer.start(
            http -> http.withOrigins(List.of("https://app.example")), models -> models)) {
      assertEquals(Optional.of("https://app.example"), allowed(server, "https://app.example"));
      assertEquals(Optional.empty(), allowed(server, "https://app.example.evil"));
      assertEquals(Optional.empty(), allowed(server, "https://appxexample"));
    }
    try (TestServer server = TestServer.start()) {
      assertEquals(Optional.empty(), allowed(server, "https://app.example"));
    }
  }

  private static Optional<String> allowed(TestServer server, String origin) throws Exception {
    HttpResponse<String> response =
        server.send(
            server
                .request("/v1/completions")
                .method("OPTIONS", HttpRequest.BodyPublishers.noBody())
                .header("Origin", origin)
                .header("Access-Control-Request-Method", "POST")
                .header("Access-Control-Request-Headers", "content-type"));
    return response.headers().firstValue("Access-Control-Allow-Origin");
  }

  @Test
  void aBodyHasALimit() throws Exception {
    try (TestServer server =
        TestServer.start(
            http -> http.withLimits(1000, 8, Duration.ofSeconds(30)), models -> models)) {
      String large = "{\"prompt\":\"" + "x".repeat(1000) + "\"}";
      HttpResponse<String> response = server.post("/v1/completions", large);
      assertEquals(413, response.statusCode(), response.body());
      HttpResponse<String> chunked =
          server.send(
              server
                  .request("/v1/completions")
                  .header("Content-Type", "application/json")
                  .POST(
                      HttpRequest.BodyPublishers.ofByteArrays(
                          List.of(large.getBytes(), large.getBytes()))));
      assertEquals(413, chunked.statusCode(), chunked.body());
      assertEquals(200, server.post("/v1/completions", SHORT).statusCode());
    }
  }

  @Test
  void whoIsSlowLosesTheConnection() throws Exception {
    try (TestServer server =
        TestServer.start(
            http -> http.withLimits(1000, 8, Duration.ofSeconds(1)), models -> models)) {
      try (Raw head = new Raw(server.server.address());
          Raw body = new Raw(server.server.address());
          Raw half = new Raw(server.server.address())) {
        half.write(Raw.post("/v1/completions", SHORT.length()) + SHORT.substring(5));
        body.write(Raw.post("/v1/completions", SHORT.length()));
        String line = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
        Thread trickle = Thread.ofVirtual().start(() -> trickle(head, line));
        Thread other = Thread.ofVirtual().start(() -> trickle(body, SHORT));
        assertTrue(half.readAll().startsWith("HTTP/1.1 408 "), "half a body");
        String slow = body.readAll();
        assertTrue(slow.startsWith("HTTP/1.1 408 "), slow);
        assertTrue(slow.contains("request_timeout"), slow);
        assertEquals("", head.readAll());
        trickle.join();
        other.join();
      }
      assertEquals(200, server.post("/v1/completions", SHORT).statusCode());
    }
  }

  /// A byte each fifth of a second.
  private static void trickle(Raw raw, String text) {
    try {
      for (char c : text.toCharArray()) {
        raw.write(String.valueOf(c));
        Thread.sleep(200);
      }
    } catch (Exception _) { // the server has closed it, which is what the test waits for
      return;
    }
  }

  @Test
  void aFullQueueRefuses() throws Exception {
    EngineOptions engine = EngineOptions.defaults().withSequences(1).withPrefixes(1).withQueue(2);
    try (TestServer server = TestServer.start(http -> http, m -> m.withEngine(engine))) {
      List<CompletableFuture<HttpResponse<String>>> all = new ArrayList<>();
      for (int i = 0; i < 16; i++) {
        all.add(
            server
                .client()
                .sendAsync(
                    server.json("/v1/completions", LONG.formatted(1, "false")).build(),
                    HttpResponse.BodyHandlers.ofString()));
      }
      int refused = 0;
      for (CompletableFuture<HttpResponse<String>> one : all) {
        HttpResponse<String> response = one.get();
        if (response.statusCode() == 429) {
          refused++;
          assertEquals("1", response.headers().firstValue("Retry-After").orElseThrow());
          assertTrue(response.body().contains("\"rate_limit_error\""), response.body());
        } else {
          assertEquals(200, response.statusCode(), response.body());
        }
      }
      assertTrue(refused > 0 && refused < 16, "refused: " + refused);
      // More choices than there is room for: all or none.
      HttpResponse<String> many = server.post("/v1/completions", LONG.formatted(8, "false"));
      assertEquals(429, many.statusCode(), many.body());
      Engine asked = server.server.models().loaded().getFirst().engine();
      long before = asked.metrics().generatedTokens();
      while (asked.metrics().running() + asked.metrics().waiting() > 0) {
        Thread.sleep(5);
      }
      long more = asked.metrics().generatedTokens() - before;
      assertTrue(more < 200, () -> "those that were taken go on: " + more);
    }
  }

  @Test
  void aDeadlineEndsARequest() throws Exception {
    try (TestServer server =
        TestServer.start(http -> http, m -> m.withDeadline(Optional.of(Duration.ofMillis(300))))) {
      HttpResponse<String> whole = server.post("/v1/completions", LONG.formatted(64, "false"));
      assertEquals(504, whole.statusCode(), whole.body());
      assertTrue(whole.body().contains("deadline_exceeded"), whole.body());
      HttpResponse<String> stream = server.post("/v1/completions", LONG.formatted(64, "true"));
      assertEquals(200, stream.statusCode());
      String[] events = stream.body().split("\n\n");
      assertTrue(events[events.length - 2].contains("\"deadline_exceeded\""), stream.body());
      assertEquals("data: [DONE]", events[events.length - 1]);
    }
  }

  @Test
  void drainingLetsRequestsEndAndTellsThoseThatDoNot() throws Exception {
    try (TestServer server = TestServer.start();
        Raw open = new Raw(server.server.address());
        Raw stream = new Raw(server.server.address());
        Raw quick = new Raw(server.server.address())) {
      String health = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
      open.write(health);
      assertTrue(open.readUntil("ok\"}").startsWith("HTTP/1.1 200"), "before");
      String brief = LONG.formatted(1, "true");
      quick.write(Raw.post("/v1/completions", brief.length()) + brief);
      quick.readUntil("data: ");
      String minutes = LONG.formatted(64, "true");
      stream.write(Raw.post("/v1/completions", minutes.length()) + minutes);
      stream.readUntil("data: ");
      Thread drain = Thread.ofVirtual().start(() -> server.server.drain(Duration.ofSeconds(1)));
      Thread.sleep(300);
      open.write(health);
      String refused = open.readAll();
      assertTrue(refused.startsWith("HTTP/1.1 503"), refused);
      assertThrows(java.io.IOException.class, () -> new Raw(server.server.address()));
      String rest = stream.readAll();
      assertTrue(rest.contains("server_stopping") && rest.contains("data: [DONE]"), rest);
      String whole = quick.readUntil("data: [DONE]");
      assertTrue(
          whole.contains("\"finish_reason\":\"length\"") || whole.contains("stopping"), whole);
      drain.join();
    }
  }

  @Test
  void anAddressThatIsTakenIsOneLine() throws Exception {
    try (TestServer server = TestServer.start()) {
      int port = server.server.address().getPort();
      ServeException e =
          assertThrows(
              ServeException.class,
              () ->
                  QuernServer.start(
                          TestServer.options(http -> http.withAddress("127.0.0.1", port), m -> m))
                      .close());
      assertTrue(e.getMessage().contains("--port"), e.getMessage());
    }
  }
}

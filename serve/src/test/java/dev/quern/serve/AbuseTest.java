package dev.quern.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.quern.llama.EngineMetrics;
import dev.quern.llama.EngineOptions;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/// Many clients at once, some of them hostile: every honest one is answered rightly.
class AbuseTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int CLIENTS = 64;
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
                } while (!over.get());
                done.complete(null);
              } catch (Throwable t) { // told below
                done.completeExceptionally(t);
              }
            });
      }
      List<CompletableFuture<HttpResponse<String>>> honest = new ArrayList<>();
      for (int i = 0; i < CLIENTS; i++) {
        honest.add(
            server
                .client()
                .sendAsync(
                    server.json("/v1/completions", ASK).build(),
                    HttpResponse.BodyHandlers.ofString()));
      }
      for (CompletableFuture<HttpResponse<String>> one : honest) {
        assertEquals(alone, text(one.get()));
      }
      over.set(true);
      for (CompletableFuture<Void> one : hostile) {
        one.get();
      }
      assertEquals(alone, text(server.post("/v1/completions", ASK)));
      Thread.sleep(200);
      EngineMetrics metrics = server.server.models().loaded().getFirst().engine().metrics();
      assertEquals(0, metrics.running() + metrics.waiting(), metrics.toString());
    }
  }

  private static String text(HttpResponse<String> response) throws Exception {
    assertEquals(200, response.statusCode(), response.body());
    return JSON.readTree(response.body()).at("/choices/0/text").textValue();
  }
}

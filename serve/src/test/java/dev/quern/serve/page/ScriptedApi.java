package dev.quern.serve.page;

import dev.quern.serve.http.EventStream;
import dev.quern.serve.http.Exchange;
import dev.quern.serve.http.HttpFailure;
import dev.quern.serve.http.HttpServer;
import dev.quern.serve.http.Route;
import dev.quern.serve.options.ApiKeys;
import dev.quern.serve.options.HttpOptions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;

/// The page, and the endpoints that it asks, with answers that a test has written.
final class ScriptedApi implements AutoCloseable {
  /// Plays an answer.
  @FunctionalInterface
  interface Answer {
    void play(Exchange exchange) throws Exception;
  }

  final BlockingQueue<Answer> answers = new LinkedBlockingQueue<>();
  final List<Map<String, Object>> asked = new CopyOnWriteArrayList<>(); // the requests' fields
  final CountDownLatch left = new CountDownLatch(1); // a client of `hold` has gone
  volatile Optional<HttpFailure> health = Optional.empty();
  private final HttpServer http;

  private ScriptedApi(HttpOptions options) {
    Page page = new Page();
    http =
        HttpServer.start(
            options,
            List.of(
                Route.get("/", page).asOpen(),
                Route.get("/page/*", page).asOpen(),
                Route.get("/health", this::health).asOpen(),
                Route.get("/v1/models", exchange -> exchange.send(200, models())),
                Route.get("/quern/report", exchange -> exchange.send(200, report())),
                Route.post("/v1/chat/completions", this::chat)),
            thrown ->
                thrown instanceof HttpFailure failure
                    ? failure
                    : HttpFailure.of(500, "internal_error", "the server failed"),
            (_, _, _) -> {});
  }

  static ScriptedApi start(Optional<String> key) {
    HttpOptions options = HttpOptions.defaults().withAddress("127.0.0.1", 0);
    return new ScriptedApi(key.map(k -> options.withKeys(ApiKeys.of(List.of(k)))).orElse(options));
  }

  String address() {
    return http.address() + "/";
  }

  private void health(Exchange exchange) throws Exception {
    if (health.isPresent()) {
      throw health.get();
    }
    exchange.send(200, Map.of("status", "ok"));
  }

  private static Map<String, Object> models() {
    return Map.of("data", List.of(Map.of("id", "big"), Map.of("id", "small")));
  }

  private static Map<String, Object> report() {
    Map<String, Object> linear =
        Map.of(
            "operator", "linear",
            "spec", "Q4_0 2048x2048",
            "uses", 64,
            "provider", "vector",
            "refusals", Map.of("kleidi", "not an Arm CPU"));
    Map<String, Object> provider = Map.of("name", "vector", "ready", true, "verdict", "ready");
    Map<String, Object> big = new LinkedHashMap<>();
    big.put("model", "big");
    big.put("threads", 2);
    big.put("context", 8192);
    big.put("choices", List.of(linear));
    big.put("providers", List.of(provider));
    return Map.of("models", List.of(big));
  }

  private void chat(Exchange exchange) throws Exception {
    asked.add(exchange.json().all());
    answers.take().play(exchange);
  }

  /// A whole reply of these parts.
  static Answer says(String... parts) {
    return exchange -> finish(exchange.events(), parts);
  }

  /// The same behind thoughts.
  static Answer thinks(List<String> thoughts, String... parts) {
    return exchange -> {
      EventStream events = exchange.events();
      for (String part : thoughts) {
        Map<String, Object> delta = Map.of("reasoning_content", part);
        events.send(Map.of("choices", List.of(Map.of("index", 0, "delta", delta))));
      }
      finish(events, parts);
    };
  }

  private static void finish(EventStream events, String... parts) {
    for (String part : parts) {
      events.send(delta(part));
    }
    events.send(
        Map.of("choices", List.of(Map.of("index", 0, "delta", Map.of(), "finish_reason", "stop"))));
    events.send(
        Map.of(
            "choices",
            List.of(),
            "usage",
            Map.of("prompt_tokens", 9, "completion_tokens", parts.length)));
    events.done();
  }

  /// A whole reply, which comes to a stop behind its first part until a gate opens.
  static Answer saysBehind(CountDownLatch gate, String first, String... parts) {
    return exchange -> {
      EventStream events = exchange.events();
      events.send(delta(first));
      gate.await();
      finish(events, parts);
    };
  }

  /// These parts, and then nothing until the client goes.
  Answer holds(String... parts) {
    return exchange -> {
      CountDownLatch gone = new CountDownLatch(1);
      exchange.onEnd(gone::countDown);
      EventStream events = exchange.events();
      for (String part : parts) {
        events.send(delta(part));
      }
      gone.await();
      left.countDown();
    };
  }

  /// These parts, and then an error.
  static Answer fails(HttpFailure failure, String... parts) {
    return exchange -> {
      if (parts.length == 0) {
        throw failure;
      }
      EventStream events = exchange.events();
      for (String part : parts) {
        events.send(delta(part));
      }
      events.send(exchange.failed(failure));
      events.done();
    };
  }

  /// These parts, and then no more, without an end.
  static Answer breaksOff(String... parts) {
    return exchange -> {
      EventStream events = exchange.events();
      for (String part : parts) {
        events.send(delta(part));
      }
      events.end();
    };
  }

  static Map<String, Object> delta(String text) {
    return Map.of("choices", List.of(Map.of("index", 0, "delta", Map.of("content", text))));
  }

  /// The contents of the messages of the last request.
  List<String> messages() {
    List<String> contents = new ArrayList<>();
    for (Object message : (List<?>) asked.getLast().get("messages")) {
      contents.add((String) ((Map<?, ?>) message).get("content"));
    }
    return contents;
  }

  @Override
  public void close() {
    http.close();
  }
}

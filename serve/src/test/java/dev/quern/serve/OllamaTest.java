package dev.quern.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.quern.llama.GenerationOptions;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.LlamaSession;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Ollama's protocol, on the demo model.
class OllamaTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String OPTIONS =
      "\"options\":{\"temperature\":0,\"repeat_penalty\":1,\"num_predict\":12}";
  private static final String CHAT =
      "{\"model\":\"demo\",\"messages\":[{\"role\":\"user\",\"content\":\"Once upon a time\"}],%s}";
  private static final String GENERATE = "{\"model\":\"demo\",\"prompt\":\"Once upon a time\",%s}";

  private static TestServer server;
  private static String alone;

  @BeforeAll
  static void start() throws Exception {
    server = TestServer.start();
    StringBuilder text = new StringBuilder();
    try (LlamaModel model = LlamaModel.loadDemo(TestServer.loading());
        LlamaSession session = model.newSession()) {
      session.generate("Once upon a time", GenerationOptions.greedy(12), text::append);
    }
    alone = text.toString();
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static JsonNode answered(String path, String body) throws Exception {
    HttpResponse<String> response = server.post(path, body);
    assertEquals(200, response.statusCode(), response.body());
    return JSON.readTree(response.body());
  }

  private static String refused(String path, String body, int status) throws Exception {
    HttpResponse<String> response = server.post(path, body);
    assertEquals(status, response.statusCode(), response.body());
    JsonNode error = JSON.readTree(response.body());
    assertEquals(1, error.size(), response.body());
    return error.get("error").textValue();
  }

  private static List<JsonNode> lines(String path, String body) throws Exception {
    HttpResponse<String> response = server.post(path, body);
    assertEquals(200, response.statusCode(), response.body());
    assertEquals(
        "application/x-ndjson", response.headers().firstValue("Content-Type").orElseThrow());
    assertTrue(response.body().endsWith("\n"));
    List<JsonNode> lines = new ArrayList<>();
    for (String line : response.body().split("\n")) {
      lines.add(JSON.readTree(line));
    }
    return lines;
  }

  private static void assertEnd(JsonNode end) {
    assertTrue(end.get("done").booleanValue());
    assertEquals("length", end.get("done_reason").textValue());
    assertEquals(12, end.get("eval_count").intValue());
    assertEquals(9, end.get("prompt_eval_count").intValue());
    assertTrue(end.get("total_duration").longValue() >= end.get("eval_duration").longValue());
    assertTrue(end.get("eval_duration").longValue() > 0);
    assertTrue(end.get("prompt_eval_duration").longValue() > 0);
    assertTrue(end.get("load_duration").longValue() >= 0);
  }

  @Test
  void aWholeChatIsWhatASessionSaysAlone() throws Exception {
    JsonNode reply = answered("/api/chat", CHAT.formatted("\"stream\":false," + OPTIONS));
    assertEquals("demo", reply.get("model").textValue());
    assertEquals("assistant", reply.get("message").get("role").textValue());
    assertEquals(alone, reply.get("message").get("content").textValue());
    Duration age =
        Duration.between(Instant.parse(reply.get("created_at").textValue()), Instant.now());
    assertTrue(age.abs().compareTo(Duration.ofMinutes(5)) < 0, reply.toString());
    assertEnd(reply);
  }

  @Test
  void aChatIsStreamedInLinesUnlessToldOtherwise() throws Exception {
    List<JsonNode> lines = lines("/api/chat", CHAT.formatted(OPTIONS));
    assertTrue(lines.size() > 3, lines.toString());
    StringBuilder text = new StringBuilder();
    for (JsonNode line : lines.subList(0, lines.size() - 1)) {
      assertFalse(line.get("done").booleanValue());
      assertFalse(line.has("done_reason"));
      text.append(line.get("message").get("content").textValue());
    }
    assertEquals(alone, text.toString());
    assertEquals("", lines.getLast().get("message").get("content").textValue());
    assertEnd(lines.getLast());
  }

  @Test
  void aRawPromptGoesOnAndOneThatIsNotIsAMessage() throws Exception {
    JsonNode raw =
        answered("/api/generate", GENERATE.formatted("\"raw\":true,\"stream\":false," + OPTIONS));
    assertEquals(alone, raw.get("response").textValue());
    assertEnd(raw);
    List<JsonNode> lines = lines("/api/generate", GENERATE.formatted(OPTIONS));
    StringBuilder text = new StringBuilder();
    lines.forEach(line -> text.append(line.get("response").textValue()));
    assertEquals(alone, text.toString()); // the demo's template writes a message as it is
    assertEnd(lines.getLast());
    JsonNode told =
        answered(
            "/api/generate",
            GENERATE.formatted("\"system\":\"A story of a cat.\",\"stream\":false," + OPTIONS));
    assertNotEquals(alone, told.get("response").textValue());
    assertTrue(told.get("prompt_eval_count").intValue() > 9);
  }

  @Test
  void aStopStringEndsTheTextAndTheSeedRepeatsIt() throws Exception {
    String end = alone.strip().split(" ")[2];
    JsonNode stopped =
        answered(
            "/api/generate",
            GENERATE.formatted(
                "\"stream\":false,\"options\":{\"temperature\":0,\"repeat_penalty\":1,\"stop\":[\""
                    + end
                    + "\"]}"));
    assertEquals("stop", stopped.get("done_reason").textValue());
    assertEquals(alone.substring(0, alone.indexOf(end)), stopped.get("response").textValue());
    String seeded =
        GENERATE.formatted(
            "\"stream\":false,\"options\":{\"seed\":7,\"temperature\":2,\"num_predict\":20,\"top_k\":0,\"top_p\":1}");
    JsonNode once = answered("/api/generate", seeded).get("response");
    assertEquals(once, answered("/api/generate", seeded).get("response"));
    assertNotEquals(once, answered("/api/generate", seeded.replace(":7", ":8")).get("response"));
  }

  @Test
  void aFormatIsKeptTo() throws Exception {
    String schema =
        "{\"type\":\"object\",\"required\":[\"n\"],\"properties\":{\"n\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":5}},\"additionalProperties\":false}";
    JsonNode reply = answered("/api/chat", CHAT.formatted("\"stream\":false,\"format\":" + schema));
    int n = JSON.readTree(reply.get("message").get("content").textValue()).get("n").intValue();
    assertTrue(n >= 1 && n <= 5, reply.toString());
    assertEquals("stop", reply.get("done_reason").textValue());
    JsonNode some =
        answered(
            "/api/generate",
            GENERATE.formatted(
                "\"stream\":false,\"format\":\"json\",\"options\":{\"num_predict\":1}"));
    assertTrue(some.get("response").textValue().startsWith("{"), some.toString());
    assertTrue(
        refused("/api/chat", CHAT.formatted("\"format\":{\"type\":\"nothing\"}"), 400)
            .startsWith("format: "));
  }

  @Test
  void withoutAPromptTheModelIsLoadedAndWithoutTimeItLeaves() throws Exception {
    try (TestServer own = TestServer.start()) {
      assertEquals(1, JSON.readTree(own.get("/api/ps").body()).get("models").size());
      JsonNode loaded = JSON.readTree(own.post("/api/generate", "{\"model\":\"demo\"}").body());
      assertEquals("load", loaded.get("done_reason").textValue());
      assertEquals("", loaded.get("response").textValue());
      JsonNode unloaded =
          JSON.readTree(
              own.post("/api/chat", "{\"model\":\"demo\",\"messages\":[],\"keep_alive\":0}")
                  .body());
      assertEquals("unload", unloaded.get("done_reason").textValue());
      assertEquals("", unloaded.get("message").get("content").textValue());
      assertEquals("[]", JSON.readTree(own.get("/api/ps").body()).get("models").toString());
      JsonNode again =
          JSON.readTree(
              own.post(
                      "/api/generate",
                      GENERATE.formatted("\"stream\":false,\"keep_alive\":\"1s\"," + OPTIONS))
                  .body());
      assertTrue(again.get("load_duration").longValue() > 1_000_000, again.toString());
      JsonNode there = JSON.readTree(own.get("/api/ps").body()).get("models").get(0);
      Instant end = Instant.parse(there.get("expires_at").textValue());
      assertTrue(end.isBefore(Instant.now().plusSeconds(2)), there.toString());
      long limit = System.nanoTime() + Duration.ofSeconds(30).toNanos();
      while (!own.get("/api/ps").body().equals("{\"models\":[]}")) {
        assertTrue(System.nanoTime() < limit, "the model stays");
        Thread.sleep(50);
      }
    }
  }

  @Test
  void theModelsAreListedAndShown() throws Exception {
    JsonNode tag = JSON.readTree(server.get("/api/tags").body()).get("models").get(0);
    assertEquals("demo", tag.get("name").textValue());
    assertTrue(tag.get("size").longValue() > 0);
    assertTrue(tag.get("digest").textValue().matches("[0-9a-f]{64}"));
    assertEquals("llama", tag.get("details").get("family").textValue());
    assertEquals("gguf", tag.get("details").get("format").textValue());
    assertTrue(tag.get("details").get("parameter_size").textValue().endsWith("M"), tag.toString());
    assertFalse(tag.get("details").get("quantization_level").textValue().isEmpty());
    Instant.parse(tag.get("modified_at").textValue());
    JsonNode running = JSON.readTree(server.get("/api/ps").body()).get("models").get(0);
    assertEquals(tag.get("digest"), running.get("digest"));
    assertTrue(
        Instant.parse(running.get("expires_at").textValue())
            .isAfter(Instant.now().plus(Duration.ofDays(3650))));
    for (String model : List.of("{\"model\":\"demo\"}", "{\"name\":\"demo:latest\"}")) {
      JsonNode shown = answered("/api/show", model);
      assertEquals("llama", shown.at("/model_info/general.architecture").textValue());
      assertTrue(shown.get("model_info").get("llama.block_count").intValue() > 0);
      assertEquals("[\"completion\"]", shown.get("capabilities").toString());
    }
    assertTrue(
        JSON.readTree(server.get("/api/version").body())
            .get("version")
            .textValue()
            .matches("\\d+\\.\\d+\\.\\d+"));
  }

  @Test
  void aModelThatIsNotThereIsNamed() throws Exception {
    String error = refused("/api/chat", "{\"model\":\"demmo\",\"messages\":[]}", 404);
    assertTrue(error.contains("demmo") && error.contains("demo"), error);
    assertEquals(200, server.post("/api/generate", "{\"model\":\"demo:latest\"}").statusCode());
    refused("/api/show", "{\"model\":\"demo:8b\"}", 404);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          "images":["aGk="]                     | images
          "template":"{{ .Prompt }}"            | template
          "suffix":"the end"                    | suffix
          "context":[1,2]                       | context
          "think":true                          | think
          "think":"high"                        | think
          "logprobs":true                       | logprobs
          "truncate":true                       | truncate
          "shift":true                          | shift
          "raw":true,"system":"Be brief."       | system
          "keep_alive":"5 minutes"              | keep_alive
          "keep_alive":true                     | keep_alive
          "format":"yaml"                       | format
          "stram":false                         | 'stram'
          "options":{"num_ctx":4096}            | options.num_ctx
          "options":{"num_predict":0}           | options.num_predict
          "options":{"num_predict":-3}          | options.num_predict
          "options":{"num_thread":2}            | options.num_thread
          "options":{"num_gpu":0}               | options.num_gpu
          "options":{"mirostat":1}              | options.mirostat
          "options":{"tfs_z":0.5}               | options.tfs_z
          "options":{"penalize_newline":false}  | options.penalize_newline
          "options":{"temprature":1}            | options.'temprature'
          "options":{"temperature":-1}          | options.temperature
          "options":{"top_p":0}                 | options.top_p
          "options":{"stop":[1]}                | options.stop
          """,
      quoteCharacter = '\0')
  void whatIsNotDoneIsNamed(String fields, String name) throws Exception {
    String error = refused("/api/generate", GENERATE.formatted(fields), 400);
    assertTrue(error.startsWith(name + ": "), error);
    assertFalse(error.contains("\n"), error);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"think\":false",
        "\"images\":[],\"suffix\":\"\",\"template\":\"\",\"context\":[]",
        "\"keep_alive\":\"1h30m\"",
        "\"keep_alive\":-1",
        "\"options\":{\"num_ctx\":256,\"num_keep\":0,\"repeat_last_n\":-1,\"num_predict\":1}",
        "\"options\":{\"min_p\":0.1,\"typical_p\":0.9,\"presence_penalty\":0.5,\"frequency_penalty\":0.5,\"num_predict\":1}"
      })
  void whatMeansNothingMoreIsTaken(String fields) throws Exception {
    answered(
        "/api/generate",
        GENERATE
            .formatted("\"stream\":false," + fields)
            .replace("\"think\":false", "\"think\":false," + OPTIONS));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\0',
      textBlock =
          """
          {"messages":[{"role":"user"}]}                                     | messages[0].content
          {"messages":[{"role":"robot","content":"a"}]}                      | messages[0].role
          {"messages":[{"role":"user","content":"a","images":["aGk="]}]}     | messages[0].images
          {"messages":[{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":"{}"}}]}]} | messages[0].tool_calls[0].function.arguments
          {"messages":[{"role":"user","content":"a"}],"tools":[{"type":"function","function":{"name":"f"}}]} | tools
          """)
  void whatIsNoConversationIsNamed(String body, String name) throws Exception {
    String error = refused("/api/chat", body, 400);
    assertTrue(error.startsWith(name), error);
  }

  /// What the command `ollama run` sends, as its Go writes it: fields that are empty or null.
  @Test
  void theCommandsRequestsAreTaken() throws Exception {
    HttpRequest.Builder alive =
        server.request("/").method("HEAD", HttpRequest.BodyPublishers.noBody());
    assertEquals(200, server.send(alive).statusCode());
    answered(
        "/api/show",
        "{\"model\":\"demo\",\"system\":\"\",\"template\":\"\",\"verbose\":false,\"options\":null,\"name\":\"\"}");
    List<JsonNode> lines =
        lines(
            "/api/generate",
            "{\"model\":\"demo\",\"prompt\":\"Once upon a time\",\"suffix\":\"\",\"system\":\"\",\"template\":\"\",\"context\":null,\"images\":[],\"format\":\"\",\"keep_alive\":null,\"_debug_render_only\":false,"
                + OPTIONS
                + "}");
    assertEnd(lines.getLast());
    lines("/api/chat", CHAT.formatted("\"format\":\"\",\"_debug_render_only\":false," + OPTIONS));
  }

  @Test
  void modelsOnDiskAreNotChanged() throws Exception {
    for (String path : List.of("/api/pull", "/api/push", "/api/create", "/api/copy")) {
      String error = refused(path, "{\"model\":\"demo\"}", 501);
      assertTrue(error.contains("no models on disk"), error);
    }
    HttpRequest.Builder delete =
        server
            .request("/api/delete")
            .method("DELETE", HttpRequest.BodyPublishers.ofString("{\"model\":\"demo\"}"));
    assertEquals(501, server.send(delete).statusCode());
  }

  @Test
  void otherErrorsAreOllamasToo() throws Exception {
    HttpResponse<String> unknown = server.get("/api/nothing");
    assertEquals(404, unknown.statusCode());
    assertTrue(JSON.readTree(unknown.body()).get("error").isTextual(), unknown.body());
    HttpResponse<String> method = server.get("/api/chat");
    assertEquals(405, method.statusCode());
    assertTrue(JSON.readTree(method.body()).get("error").isTextual(), method.body());
    assertTrue(refused("/api/chat", "{\"model\":", 400).startsWith("body: "));
  }

  @Test
  void textsBecomeVectors() throws Exception {
    JsonNode reply =
        answered("/api/embed", "{\"model\":\"demo\",\"input\":[\"A cat.\",\"A dog.\"]}");
    assertEquals(2, reply.get("embeddings").size());
    assertTrue(reply.get("prompt_eval_count").intValue() > 4);
    JsonNode one = answered("/api/embed", "{\"model\":\"demo\",\"input\":\"A dog.\"}");
    assertEquals(reply.get("embeddings").get(1), one.get("embeddings").get(0));
    JsonNode older = answered("/api/embeddings", "{\"model\":\"demo\",\"prompt\":\"A dog.\"}");
    assertEquals(one.get("embeddings").get(0), older.get("embedding"));
    double length = 0;
    for (JsonNode x : older.get("embedding")) {
      length += x.doubleValue() * x.doubleValue();
    }
    assertEquals(1, length, 1e-5);
  }

  @Test
  void aTextThatIsTooLongIsCutOrRefused() throws Exception {
    String longText = "a cat and a dog ".repeat(200);
    JsonNode cut = answered("/api/embed", "{\"model\":\"demo\",\"input\":\"" + longText + "\"}");
    assertEquals(256, cut.get("prompt_eval_count").intValue());
    refused(
        "/api/embed",
        "{\"model\":\"demo\",\"truncate\":false,\"input\":\"" + longText + "\"}",
        400);
    assertTrue(
        refused("/api/embed", "{\"model\":\"demo\",\"dimensions\":3,\"input\":\"a\"}", 400)
            .startsWith("dimensions: "));
  }
}

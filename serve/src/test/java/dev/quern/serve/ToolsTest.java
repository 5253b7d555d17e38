package dev.quern.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.quern.llama.EngineOptions;
import dev.quern.llama.SyntheticModel;
import dev.quern.serve.model.ModelsOptions;
import dev.quern.serve.model.ServedModel;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Tools, with a random model: what it says it says by chance, but for what it is held to.
class ToolsTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String TEMPLATE =
      """
      {%- for m in messages %}
          {{- '<|start_header_id|>' + m.role + '<|end_header_id|>' }}
          {%- if loop.first and tools %}{{- tools | tojson }}{%- endif %}
          {{- m.content or '' }}
          {%- for call in m.tool_calls or [] %}
              {{- '\\n<call>{"name": "' + call.function.name + '", "arguments": ' }}
              {{- call.function.arguments | tojson + '}</call>' }}
          {%- endfor %}
          {{- '<|eot_id|>' }}
      {%- endfor %}
      {{- '<|start_header_id|>assistant<|end_header_id|>' }}
      """;

  private static final String TOOLS =
      "\"max_tokens\":200,\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"weather\",\"description\":\"Tells it.\",\"parameters\":{\"type\":\"object\",\"required\":[\"days\"],\"properties\":{\"days\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":9}},\"additionalProperties\":false}}}]";
  private static final String ASK = "\"messages\":[{\"role\":\"user\",\"content\":\"Rain?\"}],";

  @TempDir static Path folder;
  private static TestServer server;

  @BeforeAll
  static void start() throws Exception {
    Path file =
        new SyntheticModel()
            .with("tokenizer.chat_template", TEMPLATE)
            .with("llama.context_length", 2048L)
            .write(folder.resolve("m.gguf"));
    server =
        TestServer.start(
            http -> http,
            _ ->
                ModelsOptions.of(List.of(new ServedModel("m", Optional.of(file))))
                    .withLoading(TestServer.loading().withContext(1024))
                    .withEngine(EngineOptions.defaults().withSequences(2)));
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static JsonNode answered(String fields) throws Exception {
    HttpResponse<String> response = server.post("/v1/chat/completions", "{" + fields + "}");
    assertEquals(200, response.statusCode(), response.body());
    return JSON.readTree(response.body());
  }

  @Test
  void aCallThatIsRequiredIsOneThatFitsItsSchema() throws Exception {
    JsonNode choice = answered(ASK + TOOLS + ",\"tool_choice\":\"required\"").get("choices").get(0);
    assertEquals("tool_calls", choice.get("finish_reason").textValue());
    JsonNode message = choice.get("message");
    assertTrue(message.get("content").isNull(), message.toString());
    JsonNode call = message.get("tool_calls").get(0);
    assertFalse(call.has("index"));
    assertFalse(call.get("id").textValue().isEmpty(), call.toString());
    assertEquals("function", call.get("type").textValue());
    assertEquals("weather", call.get("function").get("name").textValue());
    int days =
        JSON.readTree(call.get("function").get("arguments").textValue()).get("days").intValue();
    assertTrue(days >= 1 && days <= 9, call.toString());
  }

  @Test
  void aStreamHasTheCallInAPartOfItsOwn() throws Exception {
    HttpResponse<String> response =
        server.post(
            "/v1/chat/completions",
            "{"
                + ASK
                + TOOLS
                + ",\"stream\":true,\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"weather\"}}}");
    assertEquals(200, response.statusCode(), response.body());
    List<JsonNode> deltas = new ArrayList<>();
    String reason = null;
    for (String event : response.body().split("\n\n")) {
      if (!event.endsWith("[DONE]")) {
        JsonNode choice = JSON.readTree(event.substring(6)).get("choices").get(0);
        deltas.add(choice.get("delta"));
        reason = choice.get("finish_reason").textValue();
      }
    }
    assertEquals(3, deltas.size(), response.body());
    JsonNode call = deltas.get(1).get("tool_calls").get(0);
    assertEquals(0, call.get("index").intValue());
    assertEquals("weather", call.get("function").get("name").textValue());
    assertEquals("tool_calls", reason);
  }

  @Test
  void theConversationGoesOnWithTheAnswer() throws Exception {
    JsonNode reply =
        answered(
            "\"messages\":[{\"role\":\"user\",\"content\":\"Rain?\"},{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"call_1\",\"type\":\"function\",\"function\":{\"name\":\"weather\",\"arguments\":\"{\\\"days\\\":1}\"}}]},{\"role\":\"tool\",\"tool_call_id\":\"call_1\",\"content\":\"no\"}],"
                + TOOLS
                + ",\"tool_choice\":\"none\"");
    assertFalse(reply.at("/choices/0/message").has("tool_calls"), reply.toString());
  }

  @Test
  void whatIsNoToolIsRefusedWithItsField() throws Exception {
    refused("\"tools\":[{\"type\":\"web\"}]", "tools[0].type");
    refused("\"tools\":[{\"type\":\"function\"}]", "tools[0].function");
    refused(
        "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"a b\"}}]", "tools[0].function");
    refused("\"tool_choice\":\"required\"", "tool_choice");
    refused("\"tool_choice\":\"maybe\"", "tool_choice");
    refused(
        TOOLS + ",\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"x\"}}",
        "tool_choice");
    refused("\"functions\":[]", "functions");
  }

  private static void refused(String fields, String param) throws Exception {
    HttpResponse<String> response = server.post("/v1/chat/completions", "{" + ASK + fields + "}");
    assertEquals(400, response.statusCode(), response.body());
    assertEquals(
        param, JSON.readTree(response.body()).at("/error/param").textValue(), response.body());
  }

  @Test
  void aModelWhoseTemplateWritesNoCallsIsGivenNoTools() throws Exception {
    try (TestServer demo = TestServer.start()) {
      HttpResponse<String> response = demo.post("/v1/chat/completions", "{" + ASK + TOOLS + "}");
      assertEquals(400, response.statusCode(), response.body());
      assertTrue(response.body().contains("tools: "), response.body());
    }
  }
}

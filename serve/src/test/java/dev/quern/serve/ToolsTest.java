package dev.quern.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Tools, with a random model: what it says it says by chance, but for what it is held to.
class ToolsTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String TOOLS =
      "\"max_tokens\":200,\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"weather\",\"description\":\"Tells it.\",\"parameters\":{\"type\":\"object\",\"required\":[\"days\"],\"properties\":{\"days\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":9}},\"additionalProperties\":false}}}]";
  private static final String ASK = "\"messages\":[{\"role\":\"user\",\"content\":\"Rain?\"}],";

  @TempDir static Path folder;
  private static TestServer server;

  @BeforeAll
  static void start() throws Exception {
    server = ToolModel.serve(folder);
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
  void aStreamHasTheCallInParts() throws Exception {
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
    assertEquals("{\"role\":\"assistant\",\"content\":\"\"}", deltas.getFirst().toString());
    JsonNode begin = deltas.get(1).get("tool_calls").get(0);
    assertEquals(9, begin.get("id").textValue().length());
    assertEquals("{\"name\":\"weather\",\"arguments\":\"\"}", begin.get("function").toString());
    StringBuilder arguments = new StringBuilder();
    List<JsonNode> parts = deltas.subList(2, deltas.size() - 1);
    for (JsonNode delta : parts) {
      JsonNode part = delta.get("tool_calls").get(0);
      assertEquals(0, part.get("index").intValue());
      assertFalse(part.has("id") || part.get("function").has("name"), part.toString());
      arguments.append(part.at("/function/arguments").textValue());
    }
    assertTrue(parts.size() > 3, response.body());
    int days = JSON.readTree(arguments.toString()).get("days").intValue();
    assertTrue(days >= 1 && days <= 9, arguments.toString());
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

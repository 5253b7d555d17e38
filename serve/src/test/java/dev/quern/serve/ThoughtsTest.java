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

/// Thoughts in each protocol's field: a random model thinks as many tokens as it is allowed.
class ThoughtsTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String MESSAGES = "\"messages\":[{\"role\":\"user\",\"content\":\"Why?\"}]";
  private static final String CHAT = MESSAGES + ",\"temperature\":0,\"max_tokens\":8";
  private static final String RESPONSE =
      "\"input\":\"Why?\",\"temperature\":0,\"max_output_tokens\":8";
  private static final String OLLAMA =
      ",\"options\":{\"temperature\":0,\"repeat_penalty\":1,\"num_predict\":8}";

  @TempDir static Path folder;
  private static TestServer server;
  private static String thoughts;

  @BeforeAll
  static void start() throws Exception {
    server = ToolModel.serveThinker(folder);
    JsonNode raw = answered("/v1/chat/completions", CHAT + ",\"reasoning_format\":\"none\"");
    JsonNode message = raw.at("/choices/0/message");
    assertFalse(message.has("reasoning_content"), raw.toString());
    assertFalse(raw.get("usage").has("completion_tokens_details"), raw.toString());
    thoughts = message.get("content").textValue().strip();
    assertFalse(thoughts.isEmpty(), raw.toString());
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static String body(String path, String fields) throws Exception {
    HttpResponse<String> response = server.post(path, "{" + fields + "}");
    assertEquals(200, response.statusCode(), response.body());
    return response.body();
  }

  private static JsonNode answered(String path, String fields) throws Exception {
    return JSON.readTree(body(path, fields));
  }

  /// What the events of a stream have at a place, joined.
  private static String joined(String events, String at) throws Exception {
    StringBuilder all = new StringBuilder();
    for (String line : events.split("\n")) {
      if (line.startsWith("data: {") || line.startsWith("{")) {
        all.append(JSON.readTree(line.substring(line.indexOf('{'))).at(at).asText());
      }
    }
    return all.toString().strip();
  }

  @Test
  void chatsHaveThemAsReasoningContent() throws Exception {
    JsonNode reply = answered("/v1/chat/completions", CHAT);
    JsonNode message = reply.at("/choices/0/message");
    assertEquals(thoughts, message.get("reasoning_content").textValue().strip());
    assertEquals("", message.get("content").textValue());
    assertEquals(
        8, reply.at("/usage/completion_tokens_details/reasoning_tokens").intValue(), "" + reply);
    String events = body("/v1/chat/completions", CHAT + ",\"stream\":true");
    assertEquals(thoughts, joined(events, "/choices/0/delta/reasoning_content"));
    assertEquals("", joined(events, "/choices/0/delta/content"));
    HttpResponse<String> refused =
        server.post("/v1/chat/completions", "{" + CHAT + ",\"reasoning_format\":\"yes\"}");
    assertEquals(400, refused.statusCode());
    assertTrue(refused.body().contains("\"reasoning_format\""), refused.body());
  }

  @Test
  void whatIsHeldToAFormIsText() throws Exception {
    JsonNode reply =
        answered("/v1/chat/completions", CHAT + ",\"response_format\":{\"type\":\"json_object\"}");
    assertFalse(reply.at("/choices/0/message").has("reasoning_content"), reply.toString());
    assertTrue(reply.at("/choices/0/message/content").textValue().strip().startsWith("{"));
  }

  @Test
  void responsesHaveThemAsAnItem() throws Exception {
    JsonNode response = answered("/v1/responses", RESPONSE);
    assertEquals(1, response.get("output").size(), response.toString());
    JsonNode item = response.get("output").get(0);
    assertEquals("reasoning", item.get("type").textValue());
    assertEquals("incomplete", item.get("status").textValue());
    assertEquals("reasoning_text", item.at("/content/0/type").textValue());
    assertEquals(thoughts, item.at("/content/0/text").textValue().strip());
    assertEquals(8, response.at("/usage/output_tokens_details/reasoning_tokens").intValue());

    String events = body("/v1/responses", RESPONSE + ",\"stream\":true");
    List<String> types = new ArrayList<>();
    for (String line : events.split("\n")) {
      if (line.startsWith("event: ") && (types.isEmpty() || !types.getLast().equals(line))) {
        types.add(line);
      }
    }
    assertEquals(
        List.of(
            "event: response.created",
            "event: response.in_progress",
            "event: response.output_item.added",
            "event: response.content_part.added",
            "event: response.reasoning_text.delta",
            "event: response.reasoning_text.done",
            "event: response.content_part.done",
            "event: response.output_item.done",
            "event: response.incomplete"),
        types);
    assertEquals(thoughts, joined(events, "/text"));
    assertEquals(thoughts, joined(events, "/response/output/0/content/0/text"));
  }

  @Test
  void aResponsesThoughtsGoBackWithItsTurn() throws Exception {
    String turn =
        "{\"type\":\"message\",\"role\":\"assistant\",\"content\":\"So.\"},{\"role\":\"user\",\"content\":\"And?\"}]";
    String thought =
        "{\"type\":\"reasoning\",\"id\":\"rs_1\",\"status\":\"completed\",\"summary\":[],\"content\":[{\"type\":\"reasoning_text\",\"text\":\"Hm.\"}]},";
    answered("/v1/responses", "\"max_output_tokens\":1,\"input\":[" + thought + turn);
  }

  @Test
  void ollamasMessagesHaveThemAsThinking() throws Exception {
    for (String think : List.of("", ",\"think\":true")) {
      JsonNode reply = answered("/api/chat", MESSAGES + OLLAMA + think + ",\"stream\":false");
      assertEquals(thoughts, reply.at("/message/thinking").textValue().strip());
      assertEquals("", reply.at("/message/content").textValue());
    }
    String lines = body("/api/chat", MESSAGES + OLLAMA);
    assertEquals(thoughts, joined(lines, "/message/thinking"));
    JsonNode reply = answered("/api/generate", "\"prompt\":\"Why?\",\"stream\":false" + OLLAMA);
    assertEquals(thoughts, reply.at("/thinking").textValue().strip());
    assertEquals("", reply.at("/response").textValue());
  }
}

package dev.quern.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Tools and thinking in Ollama's protocol.
class OllamaToolsTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String TOOLS =
      "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"weather\",\"description\":\"Tells it.\",\"parameters\":{\"type\":\"object\",\"required\":[\"days\"],\"properties\":{\"days\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":9}},\"additionalProperties\":false}}}]";
  private static final String OPTIONS = ",\"stream\":false,\"options\":{\"num_predict\":1}";

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

  private static int promptTokens(String fields) throws Exception {
    HttpResponse<String> response = server.post("/api/chat", "{" + fields + OPTIONS + "}");
    assertEquals(200, response.statusCode(), response.body());
    return JSON.readTree(response.body()).get("prompt_eval_count").intValue();
  }

  @Test
  void theModelIsToldOfToolsAndOfWhatTheyAnswered() throws Exception {
    String ask = "\"messages\":[{\"role\":\"user\",\"content\":\"Rain?\"}%s]";
    int alone = promptTokens(ask.formatted(""));
    int told = promptTokens(ask.formatted("") + "," + TOOLS);
    assertTrue(told > alone + 50, told + " tokens with tools, without " + alone);
    String call =
        ",{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[{\"function\":{\"name\":\"weather\",\"arguments\":{\"days\":3}}}]}";
    String answer = ",{\"role\":\"tool\",\"tool_name\":\"weather\",\"content\":\"dry\"}";
    int called = promptTokens(ask.formatted(call) + "," + TOOLS);
    int answered = promptTokens(ask.formatted(call + answer) + "," + TOOLS);
    assertTrue(told < called && called < answered, told + ", " + called + ", " + answered);
  }

  @Test
  void theSwitchOfTheTemplateIsTurned() throws Exception {
    String ask = "\"messages\":[{\"role\":\"user\",\"content\":\"Why?\"}]";
    int off = promptTokens(ask + ",\"think\":false");
    assertEquals(off, promptTokens(ask));
    assertTrue(promptTokens(ask + ",\"think\":true") > off);
  }

  @Test
  void whatTheTemplateCanIsShown() throws Exception {
    JsonNode shown = JSON.readTree(server.post("/api/show", "{\"model\":\"m\"}").body());
    assertEquals("[\"completion\",\"tools\",\"thinking\"]", shown.get("capabilities").toString());
    assertFalse(shown.get("template").textValue().isEmpty());
    assertEquals(2048, shown.get("model_info").get("llama.context_length").intValue());
    JsonNode tag = JSON.readTree(server.get("/api/tags").body()).get("models").get(0);
    assertTrue(tag.get("size").longValue() > 1000, tag.toString());
  }
}

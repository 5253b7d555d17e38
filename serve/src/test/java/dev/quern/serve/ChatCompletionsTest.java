package dev.quern.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.quern.llama.GenerationOptions;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.LlamaSession;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class ChatCompletionsTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String PROMPT = "Once upon a time";
  private static final String ASK =
      "{\"model\":\"demo\",\"max_tokens\":12,\"temperature\":0,\"messages\":[{\"role\":\"user\",\"content\":\"Once upon a time\"}]%s}";

  private static TestServer server;
  private static String alone;

  @BeforeAll
  static void start() throws Exception {
    server = TestServer.start();
    StringBuilder text = new StringBuilder();
    try (LlamaModel model = LlamaModel.loadDemo(TestServer.loading());
        LlamaSession session = model.newSession()) {
      session.generate(PROMPT, GenerationOptions.greedy(12), text::append);
    }
    alone = text.toString();
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  @Test
  void aWholeReplyIsWhatASessionSaysAlone() throws Exception {
    HttpResponse<String> response = server.post("/v1/chat/completions", ASK.formatted(""));
    assertEquals(200, response.statusCode(), response.body());
    JsonNode reply = JSON.readTree(response.body());
    assertEquals("chat.completion", reply.get("object").textValue());
    JsonNode choice = reply.get("choices").get(0);
    assertEquals(alone, choice.get("message").get("content").textValue());
    assertEquals("length", choice.get("finish_reason").textValue());
    assertEquals(12, reply.get("usage").get("completion_tokens").intValue());
    assertEquals(9, reply.get("usage").get("prompt_tokens").intValue());
    assertEquals(21, reply.get("usage").get("total_tokens").intValue());
  }

  @Test
  void aStreamIsARoleTextAReasonUsageAndDone() throws Exception {
    HttpResponse<String> response =
        server.post(
            "/v1/chat/completions",
            ASK.formatted(",\"stream\":true,\"stream_options\":{\"include_usage\":true}"));
    assertEquals(200, response.statusCode(), response.body());
    List<String> events = List.of(response.body().split("\n\n"));
    assertTrue(events.stream().allMatch(e -> e.startsWith("data: ")), response.body());
    assertEquals("data: [DONE]", events.getLast());
    List<JsonNode> chunks = new ArrayList<>();
    for (String event : events.subList(0, events.size() - 1)) {
      chunks.add(JSON.readTree(event.substring("data: ".length())));
    }
    String begin =
        "\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"logprobs\":null,\"finish_reason\":null}],\"usage\":null}";
    assertTrue(events.getFirst().endsWith(begin), events.getFirst());
    String end =
        "\"choices\":[{\"index\":0,\"delta\":{},\"logprobs\":null,\"finish_reason\":\"length\"}],\"usage\":null}";
    assertTrue(events.get(events.size() - 3).endsWith(end), events.toString());
    JsonNode usage = chunks.getLast();
    assertEquals("[]", usage.get("choices").toString());
    assertEquals(12, usage.get("usage").get("completion_tokens").intValue());
    StringBuilder text = new StringBuilder();
    chunks
        .subList(0, chunks.size() - 1)
        .forEach(c -> text.append(c.at("/choices/0/delta/content").asText()));
    assertEquals(alone, text.toString());
  }

  @Test
  void anUnknownFieldIsNamed() throws Exception {
    HttpResponse<String> response =
        server.post("/v1/chat/completions", ASK.formatted(",\"temprature\":0"));
    assertEquals(400, response.statusCode());
    JsonNode error = JSON.readTree(response.body()).get("error");
    assertEquals("temprature", error.get("param").textValue());
    assertEquals("invalid_request_error", error.get("type").textValue());
  }
}

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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ResponsesTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String TOOLS =
      "\"tools\":[{\"type\":\"function\",\"name\":\"weather\",\"description\":\"Tells it.\",\"strict\":true,\"parameters\":{\"type\":\"object\",\"required\":[\"days\"],\"properties\":{\"days\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":9}},\"additionalProperties\":false}}]";

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

  private static JsonNode answered(String path, String fields) throws Exception {
    HttpResponse<String> response = server.post(path, "{" + fields + "}");
    assertEquals(200, response.statusCode(), response.body());
    return JSON.readTree(response.body());
  }

  private static List<JsonNode> events(String fields) throws Exception {
    HttpResponse<String> response =
        server.post("/v1/responses", "{\"stream\":true," + fields + "}");
    assertEquals(200, response.statusCode(), response.body());
    List<JsonNode> events = new ArrayList<>();
    for (String event : response.body().split("\n\n")) {
      String[] lines = event.split("\n");
      assertEquals(2, lines.length, event);
      JsonNode data = JSON.readTree(lines[1].substring("data: ".length()));
      assertEquals("event: " + data.get("type").textValue(), lines[0]);
      assertEquals(events.size(), data.get("sequence_number").intValue());
      events.add(data);
    }
    return events;
  }

  private static List<String> types(List<JsonNode> events) {
    List<String> types = new ArrayList<>();
    for (JsonNode event : events) {
      String type = event.get("type").textValue();
      if (types.isEmpty() || !types.getLast().equals(type)) {
        types.add(type);
      }
    }
    return types;
  }

  private static final String GREEDY =
      "\"input\":\"Once\",\"instructions\":\"Be brief.\",\"temperature\":0,\"max_output_tokens\":6";

  @Test
  void aTextIsTheChatsReply() throws Exception {
    JsonNode response =
        answered("/v1/responses", GREEDY + ",\"metadata\":{\"a\":\"b\"},\"store\":false");
    JsonNode chat =
        answered(
            "/v1/chat/completions",
            "\"messages\":[{\"role\":\"system\",\"content\":\"Be brief.\"},{\"role\":\"user\",\"content\":\"Once\"}],\"temperature\":0,\"max_tokens\":6");
    assertEquals("response", response.get("object").textValue());
    assertTrue(response.get("id").textValue().startsWith("resp_"));
    JsonNode message = response.get("output").get(0);
    assertEquals("message", message.get("type").textValue());
    assertEquals("output_text", message.get("content").get(0).get("type").textValue());
    assertEquals(
        chat.at("/choices/0/message/content").textValue(),
        message.get("content").get(0).get("text").textValue());
    assertEquals(chat.get("usage").get("prompt_tokens"), response.get("usage").get("input_tokens"));
    assertEquals(6, response.get("usage").get("output_tokens").intValue());
    assertEquals("incomplete", response.get("status").textValue());
    assertEquals("max_output_tokens", response.get("incomplete_details").get("reason").textValue());
    assertEquals("{\"a\":\"b\"}", response.get("metadata").toString());
    assertEquals("Be brief.", response.get("instructions").textValue());
    assertFalse(response.get("store").booleanValue());
  }

  @Test
  void aStreamTellsOfEachPart() throws Exception {
    JsonNode whole = answered("/v1/responses", GREEDY);
    List<JsonNode> events = events(GREEDY);
    assertEquals(
        List.of(
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.content_part.added",
            "response.output_text.delta",
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.incomplete"),
        types(events));
    StringBuilder text = new StringBuilder();
    String id = events.get(2).get("item").get("id").textValue();
    for (JsonNode event : events) {
      if (event.get("type").textValue().equals("response.output_text.delta")) {
        text.append(event.get("delta").textValue());
        assertEquals(id, event.get("item_id").textValue());
      }
    }
    assertEquals(whole.at("/output/0/content/0/text").textValue(), text.toString());
    JsonNode end = events.getLast().get("response");
    assertEquals(text.toString(), end.at("/output/0/content/0/text").textValue());
    assertEquals(id, end.at("/output/0/id").textValue());
    assertEquals(events.getFirst().get("response").get("id"), end.get("id"));
    assertEquals(6, end.get("usage").get("output_tokens").intValue());
  }

  @Test
  void aRequiredCallIsAnItem() throws Exception {
    String ask = "\"input\":\"Rain?\",\"tool_choice\":\"required\"," + TOOLS;
    JsonNode response = answered("/v1/responses", ask);
    assertEquals("completed", response.get("status").textValue());
    assertEquals(1, response.get("output").size(), response.toString());
    JsonNode call = response.get("output").get(0);
    assertEquals("function_call", call.get("type").textValue());
    assertEquals("weather", call.get("name").textValue());
    int days = JSON.readTree(call.get("arguments").textValue()).get("days").intValue();
    assertTrue(days >= 1 && days <= 9, call.toString());

    List<JsonNode> events = events(ask);
    assertEquals(
        List.of(
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.function_call_arguments.delta",
            "response.function_call_arguments.done",
            "response.output_item.done",
            "response.completed"),
        types(events));
    assertEquals(
        events.get(4).get("arguments"), events.getLast().at("/response/output/0/arguments"));
    assertEquals(
        events.get(2).get("item").get("call_id"),
        events.getLast().at("/response/output/0/call_id"));
  }

  @Test
  void whatWasAnsweredBeforeIsInput() throws Exception {
    String call =
        "{\"type\":\"function_call\",\"call_id\":\"c1\",\"name\":\"weather\",\"arguments\":\"{\\\"days\\\":2}\"}";
    JsonNode response =
        answered(
            "/v1/responses",
            "\"max_output_tokens\":1,"
                + TOOLS
                + ",\"input\":[{\"role\":\"developer\",\"content\":\"Be brief.\"},{\"type\":\"message\",\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\"Rain?\"}]},{\"type\":\"message\",\"id\":\"msg_1\",\"status\":\"completed\",\"role\":\"assistant\",\"content\":[{\"type\":\"output_text\",\"text\":\"I look.\",\"annotations\":[],\"logprobs\":[]}]},"
                + call
                + ",{\"type\":\"function_call_output\",\"call_id\":\"c1\",\"output\":\"dry\"}]");
    JsonNode chat =
        answered(
            "/v1/chat/completions",
            "\"max_tokens\":1,"
                + "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"weather\",\"description\":\"Tells it.\",\"parameters\":{\"type\":\"object\",\"required\":[\"days\"],\"properties\":{\"days\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":9}},\"additionalProperties\":false}}}]"
                + ",\"messages\":[{\"role\":\"system\",\"content\":\"Be brief.\"},{\"role\":\"user\",\"content\":\"Rain?\"},{\"role\":\"assistant\",\"content\":\"I look.\",\"tool_calls\":[{\"id\":\"c1\",\"type\":\"function\",\"function\":{\"name\":\"weather\",\"arguments\":\"{\\\"days\\\":2}\"}}]},{\"role\":\"tool\",\"tool_call_id\":\"c1\",\"content\":\"dry\"}]");
    assertEquals(chat.get("usage").get("prompt_tokens"), response.get("usage").get("input_tokens"));
  }

  @Test
  void aFormatIsKeptTo() throws Exception {
    JsonNode response =
        answered(
            "/v1/responses",
            "\"input\":\"A number.\",\"text\":{\"format\":{\"type\":\"json_schema\",\"name\":\"n\",\"strict\":true,\"schema\":{\"type\":\"object\",\"required\":[\"n\"],\"properties\":{\"n\":{\"enum\":[3]}},\"additionalProperties\":false}}}");
    JsonNode n = JSON.readTree(response.at("/output/0/content/0/text").textValue());
    assertEquals(3, n.get("n").intValue());
    assertEquals("json_schema", response.at("/text/format/type").textValue());
    assertEquals("completed", response.get("status").textValue());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\0',
      textBlock =
          """
          "input":"a","previous_response_id":"resp_1"                     | previous_response_id
          "input":"a","store":true                                        | store
          "input":"a","background":true                                   | background
          "input":"a","truncation":"auto"                                 | truncation
          "input":"a","include":["reasoning.encrypted_content"]           | include
          "input":"a","reasoning":{"effort":"low"}                        | reasoning
          "input":"a","conversation":"conv_1"                             | conversation
          "input":"a","tools":[{"type":"web_search"}]                     | tools[0].type
          "input":"a","tool_choice":"required"                            | tool_choice
          "input":"a","text":{"verbosity":"low"}                          | text.verbosity
          "input":"a","text":{"format":{"type":"json_schema"}}            | text.format.schema
          "input":"a","max_output_tokens":0                               | max_output_tokens
          "input":"a","temperature":-1                                    | temperature
          "temperature":0                                                 | input
          "input":[]                                                      | input
          "input":[{"type":"computer_call"}]                              | input[0].type
          "input":[{"type":"reasoning","summary":[{"type":"summary_text"}]}] | input[0].summary
          "input":[{"type":"reasoning","content":[{"type":"reasoning_text","text":"a"}]}] | input
          "input":[{"role":"tool","content":"a"}]                         | input[0].role
          "input":[{"role":"user","content":[{"type":"input_image"}]}]    | input[0].content[0].type
          "input":[{"type":"function_call","call_id":"c","name":"f","arguments":"["}] | input[0].arguments
          """)
  void whatIsNotDoneIsNamed(String fields, String param) throws Exception {
    HttpResponse<String> response = server.post("/v1/responses", "{" + fields + "}");
    assertEquals(400, response.statusCode(), response.body());
    JsonNode error = JSON.readTree(response.body()).get("error");
    assertEquals(param, error.get("param").textValue(), response.body());
    assertTrue(error.get("message").textValue().contains(param), response.body());
  }
}

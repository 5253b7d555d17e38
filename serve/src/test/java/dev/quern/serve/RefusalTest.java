package dev.quern.serve;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/// What is not done is refused, with the field's name.
class RefusalTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String CHAT = "\"messages\":[{\"role\":\"user\",\"content\":\"Once\"}]";

  private static TestServer server;

  /// @param request a JSON object without its braces
  private record Row(String path, String request, int status, String code, String param) {}

  private static Row chat(String fields, String code, String param) {
    return new Row("/v1/chat/completions", CHAT + fields, 400, code, param);
  }

  private static Row messages(String messages, String code, String param) {
    return new Row("/v1/chat/completions", "\"messages\":" + messages, 400, code, param);
  }

  private static Row text(String fields, String code, String param) {
    return new Row("/v1/completions", "\"prompt\":\"Once\"" + fields, 400, code, param);
  }

  private static final List<Row> ROWS =
      List.of(
          chat(",\"temperature\":-1", "invalid_value", "temperature"),
          chat(",\"temperature\":\"hot\"", "invalid_value", "temperature"),
          chat(",\"top_p\":0", "invalid_value", "top_p"),
          chat(",\"top_k\":1.5", "invalid_value", "top_k"),
          chat(",\"min_p\":2", "invalid_value", "min_p"),
          chat(",\"typical_p\":0", "invalid_value", "typical_p"),
          chat(",\"repeat_penalty\":0", "invalid_value", "repeat_penalty"),
          chat(",\"repeat_last_n\":-1", "invalid_value", "repeat_last_n"),
          chat(",\"presence_penalty\":3", "invalid_value", "presence_penalty"),
          chat(",\"frequency_penalty\":-3", "invalid_value", "frequency_penalty"),
          chat(",\"seed\":1e99", "invalid_value", "seed"),
          chat(",\"n\":0", "invalid_value", "n"),
          chat(",\"max_tokens\":-1", "invalid_value", "max_tokens"),
          chat(",\"max_tokens\":1,\"max_completion_tokens\":2", "invalid_value", "max_tokens"),
          chat(",\"stop\":[1]", "invalid_value", "stop"),
          chat(",\"stop\":\"\"", "invalid_value", "stop"),
          chat(",\"logit_bias\":{\"x\":1}", "invalid_value", "logit_bias.x"),
          chat(",\"logit_bias\":{\"99999\":1}", "invalid_value", "logit_bias.99999"),
          chat(",\"logit_bias\":{\"1\":101}", "invalid_value", "logit_bias.1"),
          chat(",\"top_logprobs\":2", "invalid_value", "top_logprobs"),
          chat(",\"stream\":\"yes\"", "invalid_value", "stream"),
          chat(",\"stream_options\":{\"include_usage\":true}", "invalid_value", "stream_options"),
          chat(
              ",\"stream\":true,\"stream_options\":{\"x\":true}",
              "unknown_parameter",
              "stream_options.x"),
          chat(",\"store\":true", "unsupported_parameter", "store"),
          chat(",\"cache_prompt\":false", "unsupported_parameter", "cache_prompt"),
          chat(",\"audio\":{}", "unknown_parameter", "audio"),
          chat(",\"modalities\":[\"text\",\"audio\"]", "unsupported_parameter", "modalities"),
          chat(",\"response_format\":{\"type\":\"xml\"}", "invalid_value", "response_format.type"),
          chat(
              ",\"response_format\":{\"type\":\"json_schema\"}",
              "missing_required_parameter",
              "response_format.json_schema"),
          chat(
              ",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"schema\":{\"not\":{}}}}",
              "invalid_value",
              "response_format.json_schema.schema"),
          messages("[]", "missing_required_parameter", "messages"),
          messages("{}", "invalid_value", "messages"),
          messages("[1]", "invalid_value", "messages[0]"),
          messages("[{\"content\":\"x\"}]", "missing_required_parameter", "messages[0].role"),
          messages("[{\"role\":\"poet\",\"content\":\"x\"}]", "invalid_value", "messages[0].role"),
          messages("[{\"role\":\"user\"}]", "missing_required_parameter", "messages[0].content"),
          messages(
              "[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":\"x\"}}]}]",
              "unsupported_parameter",
              "messages[0].content[0].type"),
          messages(
              "[{\"role\":\"user\",\"content\":\"x\",\"mood\":1}]",
              "unknown_parameter",
              "messages[0].mood"),
          messages(
              "[{\"role\":\"tool\",\"content\":\"x\"}]",
              "missing_required_parameter",
              "messages[0].tool_call_id"),
          text(",\"echo\":true", "unsupported_parameter", "echo"),
          text(",\"best_of\":2", "unsupported_parameter", "best_of"),
          text(",\"suffix\":\"x\"", "unsupported_parameter", "suffix"),
          text(",\"logprobs\":21", "invalid_value", "logprobs"),
          new Row("/v1/completions", "", 400, "missing_required_parameter", "prompt"),
          new Row("/v1/completions", "\"prompt\":[]", 400, "invalid_value", "prompt"),
          new Row("/v1/completions", "\"prompt\":[99999]", 400, "invalid_value", "prompt"),
          new Row("/v1/completions", "\"prompt\":[[1],[99999]]", 400, "invalid_value", "prompt[1]"),
          new Row(
              "/v1/completions",
              "\"prompt\":\"" + "Once upon a time ".repeat(200) + "\"",
              400,
              "context_length_exceeded",
              null),
          new Row(
              "/v1/completions",
              "\"prompt\":\"Once\",\"model\":\"gpt-5\"",
              404,
              "model_not_found",
              "model"),
          new Row("/tokenize", "", 400, "missing_required_parameter", "content"),
          new Row("/detokenize", "\"tokens\":[-1]", 400, "invalid_value", "tokens"));

  @BeforeAll
  static void start() throws Exception {
    server = TestServer.start();
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  @Test
  void eachFieldIsNamed() {
    assertAll(ROWS.stream().<Executable>map(row -> () -> refused(row)));
  }

  private static void refused(Row row) throws Exception {
    HttpResponse<String> response = server.post(row.path(), "{" + row.request() + "}");
    assertEquals(row.status(), response.statusCode(), row + ": " + response.body());
    JsonNode error = JSON.readTree(response.body()).get("error");
    assertEquals(row.code(), error.get("code").textValue(), response.body());
    assertEquals(row.param(), error.get("param").textValue(), response.body());
    String message = error.get("message").textValue();
    assertTrue(!message.contains("\n") && !message.contains("Exception"), message);
  }

  @Test
  void aBodyThatIsNoJsonObjectIsRefused() {
    assertAll(
        Stream.of(
                "",
                "[]",
                "{",
                "{\"prompt\":1}}",
                "{\"prompt\":\"a\",\"prompt\":\"b\"}",
                "[".repeat(100_000),
                "{\"a\":" + "[".repeat(1000) + "]".repeat(1000) + "}",
                "{\"a\":" + "9".repeat(1000) + "}")
            .map(body ->
                () -> {
                  HttpResponse<String> response = server.post("/v1/completions", body);
                  assertEquals(400, response.statusCode(), response.body());
                  JsonNode error = JSON.readTree(response.body()).get("error");
                  assertEquals("invalid_json", error.get("code").textValue(), response.body());
                }));
  }

  @Test
  void pathsMethodsAndTypesAreRefused() throws Exception {
    assertEquals(404, server.get("/v2/models").statusCode());
    assertEquals(404, server.get("/v1/models/gpt-5").statusCode());
    HttpResponse<String> method = server.get("/v1/completions");
    assertEquals(405, method.statusCode());
    assertEquals("POST", method.headers().firstValue("Allow").orElseThrow());
    HttpResponse<String> type =
        server.send(
            server
                .request("/v1/completions")
                .POST(java.net.http.HttpRequest.BodyPublishers.ofString("{}")));
    assertEquals(415, type.statusCode());
    HttpResponse<String> packed =
        server.send(server.json("/v1/completions", "{}").header("Content-Encoding", "gzip"));
    assertEquals(415, packed.statusCode());
  }
}

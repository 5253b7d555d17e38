package dev.quern.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Each field does what it says.
class FieldsTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String STORY = ", there was a curious boy named Oskar.";

  private static TestServer server;

  @BeforeAll
  static void start() throws Exception {
    server = TestServer.start();
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static JsonNode post(String path, String fields) throws Exception {
    HttpResponse<String> response = server.post(path, "{" + fields + "}");
    assertEquals(200, response.statusCode(), response.body());
    return JSON.readTree(response.body());
  }

  private static JsonNode text(String fields) throws Exception {
    return post("/v1/completions", "\"prompt\":\"Once upon a time\"," + fields);
  }

  private static String said(String fields) throws Exception {
    return text(fields).at("/choices/0/text").textValue();
  }

  private static List<JsonNode> events(String path, String fields) throws Exception {
    HttpResponse<String> response = server.post(path, "{" + fields + ",\"stream\":true}");
    assertEquals(200, response.statusCode(), response.body());
    List<JsonNode> events = new ArrayList<>();
    for (String event : response.body().split("\n\n")) {
      if (!event.equals("data: [DONE]")) {
        events.add(JSON.readTree(event.substring(6)));
      }
    }
    return events;
  }

  @Test
  void stopsEndATextBeforeThem() throws Exception {
    JsonNode one = text("\"temperature\":0,\"max_tokens\":40,\"stop\":\" Oskar\"");
    assertEquals(", there was a curious boy named", one.at("/choices/0/text").textValue());
    assertEquals("stop", one.at("/choices/0/finish_reason").textValue());
    assertEquals(
        ", there was a curious",
        said("\"temperature\":0,\"max_tokens\":40,\"stop\":[\"named\",\" boy\"]"));
  }

  @Test
  void maxTokensCountAndSixteenIsTheDefaultOfTexts() throws Exception {
    assertEquals(5, text("\"max_tokens\":5").at("/usage/completion_tokens").intValue());
    assertEquals(16, text("\"ignore_eos\":true").at("/usage/completion_tokens").intValue());
    assertEquals(0, text("\"max_tokens\":0").at("/usage/completion_tokens").intValue());
    JsonNode chat =
        post(
            "/v1/chat/completions",
            "\"max_completion_tokens\":4,\"messages\":[{\"role\":\"system\",\"content\":\"Once\"},{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"upon a\"},{\"type\":\"text\",\"text\":\" time\"}]}]");
    assertEquals(4, chat.at("/usage/completion_tokens").intValue());
  }

  @Test
  void aSeedMakesATextComeAgainAndChoicesAreOfSeedsInARow() throws Exception {
    String hot = "\"temperature\":1.5,\"top_p\":1,\"min_p\":0,\"top_k\":0,\"max_tokens\":12,";
    String seven = said(hot + "\"seed\":7");
    assertEquals(seven, said(hot + "\"seed\":7"));
    String eight = said(hot + "\"seed\":8");
    assertNotEquals(seven, eight);
    JsonNode both = text(hot + "\"seed\":7,\"n\":2");
    assertEquals(seven, both.at("/choices/0/text").textValue());
    assertEquals(eight, both.at("/choices/1/text").textValue());
    assertEquals(24, both.at("/usage/completion_tokens").intValue());
    assertEquals(9, both.at("/usage/prompt_tokens").intValue());
  }

  @Test
  void biasesPenaltiesAndFiltersReachTheSampler() throws Exception {
    int[] comma = tokens(",");
    String base = "\"temperature\":0,\"max_tokens\":8";
    String plain = said(base);
    assertTrue(plain.startsWith(","), plain);
    String biased = said(base + ",\"logit_bias\":{\"" + comma[comma.length - 1] + "\":-100}");
    assertFalse(biased.startsWith(","), biased);
    String longer = "\"temperature\":0,\"max_tokens\":120,\"ignore_eos\":true";
    String unpenalized = said(longer);
    assertNotEquals(unpenalized, said(longer + ",\"presence_penalty\":2"));
    assertNotEquals(unpenalized, said(longer + ",\"frequency_penalty\":2"));
    assertNotEquals(unpenalized, said(longer + ",\"repeat_penalty\":1.5"));
    assertEquals(unpenalized, said(longer + ",\"repeat_penalty\":1.5,\"repeat_last_n\":0"));
    String hot = "\"max_tokens\":30,\"seed\":3,\"temperature\":2,";
    String open = said(hot + "\"top_k\":0,\"top_p\":1,\"min_p\":0");
    for (String narrow : List.of("\"top_k\":1", "\"top_p\":0.01", "\"min_p\":1")) {
      String others =
          (narrow.contains("top_k") ? "" : "\"top_k\":0,")
              + (narrow.contains("top_p") ? "" : "\"top_p\":1,")
              + (narrow.contains("min_p") ? "" : "\"min_p\":0,");
      String one = said(hot + others + narrow);
      assertTrue(one.startsWith(STORY.substring(0, 20)), narrow + ": " + one);
      assertNotEquals(open, one);
    }
    assertNotEquals(open, said(hot + "\"top_k\":0,\"top_p\":1,\"min_p\":0,\"typical_p\":0.2"));
  }

  private static int[] tokens(String text) throws Exception {
    JsonNode list = post("/tokenize", "\"content\":\"" + text + "\"").get("tokens");
    return StreamSupport.stream(list.spliterator(), false).mapToInt(JsonNode::intValue).toArray();
  }

  @Test
  void promptsComeAsTextsAndTokens() throws Exception {
    JsonNode ids = post("/tokenize", "\"content\":\"Once upon a time\",\"add_special\":true");
    String list = ids.get("tokens").toString();
    String greedy = ",\"temperature\":0,\"max_tokens\":8";
    String text = said("\"temperature\":0,\"max_tokens\":8");
    assertEquals(
        text,
        post("/v1/completions", "\"prompt\":" + list + greedy).at("/choices/0/text").textValue());
    JsonNode both =
        post("/v1/completions", "\"prompt\":[" + list + ",\"Once upon a time\"]" + greedy);
    assertEquals(text, both.at("/choices/0/text").textValue());
    assertEquals(text, both.at("/choices/1/text").textValue());
    assertEquals(1, both.at("/choices/1/index").intValue());
    assertEquals(18, both.at("/usage/prompt_tokens").intValue());
  }

  @Test
  void logProbabilitiesAreOfEachTokenWholeAndStreamed() throws Exception {
    String chat =
        "\"messages\":[{\"role\":\"user\",\"content\":\"Once upon a time\"}],\"temperature\":0,\"max_tokens\":6,\"logprobs\":true,\"top_logprobs\":2";
    JsonNode whole = post("/v1/chat/completions", chat).at("/choices/0/logprobs/content");
    assertEquals(6, whole.size());
    JsonNode first = whole.get(0);
    assertEquals(",", first.get("token").textValue());
    assertEquals("[44]", first.get("bytes").toString());
    assertEquals(2, first.get("top_logprobs").size());
    assertEquals(
        first.get("logprob").doubleValue(),
        first.at("/top_logprobs/0/logprob").doubleValue(),
        1e-12);
    List<JsonNode> streamed = new ArrayList<>();
    for (JsonNode event : events("/v1/chat/completions", chat)) {
      event.at("/choices/0/logprobs/content").forEach(streamed::add);
    }
    assertEquals(whole.size(), streamed.size());
    assertEquals(first.get("token"), streamed.getFirst().get("token"));
    JsonNode text = text("\"temperature\":0,\"max_tokens\":6,\"logprobs\":1");
    JsonNode legacy = text.at("/choices/0/logprobs");
    assertEquals(6, legacy.get("tokens").size());
    assertEquals(0, legacy.at("/text_offset/0").intValue());
    assertEquals(1, legacy.at("/text_offset/1").intValue());
    int parts = 0;
    for (JsonNode event :
        events(
            "/v1/completions",
            "\"prompt\":\"Once upon a time\",\"temperature\":0,\"max_tokens\":6,\"logprobs\":1")) {
      JsonNode offsets = event.at("/choices/0/logprobs/text_offset");
      if (offsets.isArray() && offsets.size() > 0) {
        assertEquals(legacy.at("/text_offset/" + parts), offsets.get(0));
        parts += offsets.size();
      }
    }
    assertEquals(6, parts);
  }

  @Test
  void aFormIsKeptTo() throws Exception {
    String ask = "\"messages\":[{\"role\":\"user\",\"content\":\"Once\"}],\"max_tokens\":100,";
    String schema =
        "\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"x\",\"strict\":true,\"schema\":{\"type\":\"object\",\"properties\":{\"age\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":9}},\"required\":[\"age\"],\"additionalProperties\":false}}}";
    String text =
        post("/v1/chat/completions", ask + schema).at("/choices/0/message/content").textValue();
    assertTrue(JSON.readTree(text).get("age").isInt(), text);
    String object =
        post(
                "/v1/chat/completions",
                ask + "\"temperature\":0,\"response_format\":{\"type\":\"json_object\"}")
            .at("/choices/0/message/content")
            .textValue();
    assertTrue(object.startsWith("{"), object);
    post("/v1/chat/completions", ask + "\"response_format\":{\"type\":\"text\"}");
  }

  @Test
  void whatMeansNothingIsTaken() throws Exception {
    post(
        "/v1/chat/completions",
        "\"messages\":[{\"role\":\"user\",\"content\":\"Once\",\"name\":\"Ann\"}],\"max_tokens\":1,\"user\":\"me\",\"metadata\":{\"a\":\"b\"},\"store\":false,\"cache_prompt\":true,\"stop\":null,\"tools\":null,\"modalities\":[\"text\"]");
    text("\"max_tokens\":1,\"echo\":false,\"best_of\":1,\"suffix\":null,\"user\":\"me\"");
  }

  @Test
  void whatAPromptSharesWithAnEarlierOneIsCached() throws Exception {
    String story =
        "\"prompt\":\"Once upon a time there was a little boy who lived in a small house with his cat\",\"max_tokens\":1";
    post("/v1/completions", story);
    JsonNode again = post("/v1/completions", story);
    int cached = again.at("/usage/prompt_tokens_details/cached_tokens").intValue();
    assertEquals(again.at("/usage/prompt_tokens").intValue() - 1, cached, again.toString());
  }

  @Test
  void tokensAndTheirText() throws Exception {
    JsonNode plain = post("/tokenize", "\"content\":\"Once upon\"");
    JsonNode back = post("/detokenize", "\"tokens\":" + plain.get("tokens"));
    assertEquals("Once upon", back.get("content").textValue().strip());
    JsonNode pieces = post("/tokenize", "\"content\":\"Once upon\",\"with_pieces\":true");
    assertTrue(pieces.at("/tokens/0/id").isInt(), pieces.toString());
    assertTrue(pieces.at("/tokens/0/piece").isTextual(), pieces.toString());
  }

  @Test
  void theReportIsATableATextAndAHeader() throws Exception {
    JsonNode report = JSON.readTree(server.get("/quern/report").body()).at("/models/0");
    assertEquals("demo", report.get("model").textValue());
    assertTrue(report.get("summary").textValue().startsWith("linear: scalar"), report.toString());
    assertEquals("scalar", report.at("/choices/0/provider").textValue());
    HttpResponse<String> text =
        server.send(server.request("/quern/report").GET().header("Accept", "text/plain"));
    assertTrue(text.body().contains("provider") && text.body().contains("scalar"), text.body());
    HttpResponse<String> asked =
        server.send(
            server
                .json("/v1/completions", "{\"prompt\":\"Once\",\"max_tokens\":1}")
                .header("X-Quern-Report", "1"));
    assertTrue(
        asked.headers().firstValue("Quern-Providers").orElseThrow().startsWith("linear: scalar"));
    assertFalse(
        server
            .post("/v1/completions", "{\"prompt\":\"Once\",\"max_tokens\":1}")
            .headers()
            .firstValue("Quern-Providers")
            .isPresent());
  }

  @Test
  void metricsCountRequestsAndTokens() throws Exception {
    text("\"max_tokens\":1");
    String metrics = server.get("/metrics").body();
    assertTrue(
        metrics.contains(
            "quern_http_requests_seconds_count{route=\"/v1/completions\",status=\"200\"}"),
        metrics);
    assertTrue(metrics.contains("quern_tokens_generated_total{model=\"demo\"}"), metrics);
  }
}

package dev.quern.serve;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.quern.llama.Embedder;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.Pooling;
import dev.quern.llama.tokenizer.Tokenizer;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EmbeddingsTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String TEXT = "Once upon a time";

  private static TestServer server;
  private static float[] mean;
  private static float[] last;
  private static int[] tokens;

  @BeforeAll
  static void start() throws Exception {
    server = TestServer.start();
    try (LlamaModel model = LlamaModel.loadDemo(TestServer.loading());
        Embedder embedder = model.newEmbedder()) {
      mean = embedder.embed(TEXT, Pooling.MEAN);
      last = embedder.embed(TEXT, Pooling.LAST);
      Tokenizer tokenizer = model.tokenizer();
      tokens = tokenizer.encodePrompt(TEXT, false);
    }
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static JsonNode answered(String fields) throws Exception {
    HttpResponse<String> response =
        server.post("/v1/embeddings", "{\"model\":\"demo\"," + fields + "}");
    assertEquals(200, response.statusCode(), response.body());
    return JSON.readTree(response.body());
  }

  private static float[] floats(JsonNode vector) {
    float[] floats = new float[vector.size()];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = vector.get(i).floatValue();
    }
    return floats;
  }

  @Test
  void vectorsAreTheEmbeddersToTheBit() throws Exception {
    JsonNode answer = answered("\"input\":[\"" + TEXT + "\",\"The end.\"]");
    assertEquals("list", answer.get("object").textValue());
    assertEquals(2, answer.get("data").size());
    JsonNode first = answer.get("data").get(0);
    assertEquals("embedding", first.get("object").textValue());
    assertEquals(0, first.get("index").intValue());
    assertArrayEquals(mean, floats(first.get("embedding")));
    assertEquals(1, answer.get("data").get(1).get("index").intValue());
    JsonNode usage = answered("\"input\":\"" + TEXT + "\"").get("usage");
    assertEquals(tokens.length, usage.get("prompt_tokens").intValue());
    assertEquals(tokens.length, usage.get("total_tokens").intValue());
  }

  @Test
  void theLastPositionIsAnotherVector() throws Exception {
    JsonNode answer = answered("\"input\":\"" + TEXT + "\",\"pooling\":\"last\"");
    assertArrayEquals(last, floats(answer.at("/data/0/embedding")));
  }

  @Test
  void tokensAreTextsToo() throws Exception {
    JsonNode one = answered("\"input\":" + Arrays.toString(tokens));
    assertArrayEquals(mean, floats(one.at("/data/0/embedding")));
    JsonNode two =
        answered("\"input\":[" + Arrays.toString(tokens) + "," + Arrays.toString(tokens) + "]");
    assertEquals(2, two.get("data").size());
    assertArrayEquals(mean, floats(two.at("/data/1/embedding")));
  }

  @Test
  void base64IsTheSameFloats() throws Exception {
    JsonNode answer =
        answered(
            "\"input\":\""
                + TEXT
                + "\",\"encoding_format\":\"base64\",\"user\":\"u\",\"dimensions\":"
                + mean.length);
    ByteBuffer bytes =
        ByteBuffer.wrap(Base64.getDecoder().decode(answer.at("/data/0/embedding").textValue()))
            .order(ByteOrder.LITTLE_ENDIAN);
    float[] floats = new float[mean.length];
    bytes.asFloatBuffer().get(floats);
    assertEquals(mean.length * Float.BYTES, bytes.capacity());
    assertArrayEquals(mean, floats);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\0',
      textBlock =
          """
          "user":"u"                               | input
          "input":[]                               | input
          "input":7                                | input
          "input":[1000000]                        | input
          "input":["a",1]                          | input
          "input":"a","dimensions":3               | dimensions
          "input":"a","encoding_format":"int8"     | encoding_format
          "input":"a","pooling":"max"              | pooling
          "input":"a","truncate":true              | truncate
          """)
  void whatIsNotDoneIsNamed(String fields, String param) throws Exception {
    HttpResponse<String> response = server.post("/v1/embeddings", "{" + fields + "}");
    assertEquals(400, response.statusCode(), response.body());
    JsonNode error = JSON.readTree(response.body()).get("error");
    assertEquals(param, error.get("param").textValue(), response.body());
  }

  @Test
  void aTextThatIsTooLongIsRefused() throws Exception {
    HttpResponse<String> response =
        server.post("/v1/embeddings", "{\"input\":\"" + "a cat and a dog ".repeat(200) + "\"}");
    assertEquals(400, response.statusCode(), response.body());
    assertEquals(
        "context_length_exceeded",
        JSON.readTree(response.body()).get("error").get("code").textValue());
  }

  @Test
  void tooManyAreToldToComeAgain() throws Exception {
    String body = "{\"input\":[" + ("\"" + TEXT + "\",").repeat(40) + "\"The end.\"]}";
    try (TestServer own =
            TestServer.start(http -> http, m -> m.withEngine(m.engine().withQueue(1)));
        var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<HttpResponse<String>>> all = new ArrayList<>();
      for (int i = 0; i < 12; i++) {
        Callable<HttpResponse<String>> ask = () -> own.post("/v1/embeddings", body);
        all.add(threads.submit(ask));
      }
      int answered = 0;
      for (Future<HttpResponse<String>> one : all) {
        HttpResponse<String> response = one.get();
        if (response.statusCode() == 200) {
          answered++;
          assertEquals(41, JSON.readTree(response.body()).get("data").size());
        } else {
          assertEquals(429, response.statusCode(), response.body());
          assertEquals(Optional.of("1"), response.headers().firstValue("Retry-After"));
        }
      }
      assertTrue(answered >= 2 && answered < 12, answered + " were answered");
    }
  }

  @Test
  void aDeadlineEndsTheWait() throws Exception {
    String body = "{\"input\":[" + ("\"" + TEXT + "\",").repeat(2000) + "\"The end.\"]}";
    try (TestServer own =
        TestServer.start(http -> http, m -> m.withDeadline(Optional.of(Duration.ofMillis(200))))) {
      HttpResponse<String> response = own.post("/v1/embeddings", body);
      assertEquals(504, response.statusCode(), response.body());
    }
  }
}

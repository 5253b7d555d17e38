package dev.quern.llama.tokenizer;

import static dev.quern.testing.SharedFiles.file;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.quern.llama.gguf.GgufFile;
import dev.quern.llama.sampling.Sampler;
import dev.quern.llama.sampling.SamplingOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// Real vocabularies against what llama.cpp and llama2.c make of them.
class ReferenceVocabularyTest {
  @Test
  void llama3EqualsLlamaCppBothWays() throws IOException {
    Tokenizer tokenizer = open(file("models/llama3-vocab.gguf"));
    int texts = 0;
    for (JsonNode vector : json("models/llama3-tokenizer-vectors.json")) {
      String text = vector.get("text").asText();
      int[] ids = ints(vector.get("ids"));
      int[] idsSpecial = ints(vector.get("ids_special"));
      assertArrayEquals(ids, tokenizer.encode(text, false), text);
      assertArrayEquals(idsSpecial, tokenizer.encodePrompt(text, true), text);
      assertTrue(vector.get("roundtrip").asBoolean(), text);
      assertEquals(text, tokenizer.decode(ids));
      assertEquals(text, tokenizer.decode(idsSpecial));
      texts++;
    }
    assertEquals(22, texts);
  }

  @Test
  void llama3KnowsItsSpecialTokens() throws IOException {
    Tokenizer tokenizer = open(file("models/llama3-vocab.gguf"));
    assertEquals(128_256, tokenizer.vocabularySize());
    assertEquals(128_000, tokenizer.bos().orElseThrow());
    assertEquals(128_009, tokenizer.eos().orElseThrow());
    assertEquals(128_009, tokenizer.eot().orElseThrow());
    assertEquals(Set.of(128_001, 128_009), tokenizer.endOfGeneration());
    assertTrue(tokenizer.isControl(128_006));
    assertFalse(tokenizer.isControl(127_999));
    String turn = "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>";
    int[] ids = tokenizer.encode(turn, true);
    assertArrayEquals(new int[] {128_006, 882, 128_007, 271, 13_347, 128_009}, ids);
    assertEquals(turn, tokenizer.decode(ids, true));
    assertEquals(turn, tokenizer.decode(tokenizer.encode(turn, false)));
  }

  @Test
  void llama3ChatEqualsItsTextForm() throws IOException {
    try (GgufFile gguf = GgufFile.open(file("models/llama3-vocab.gguf"))) {
      Tokenizer tokenizer = Tokenizer.from(gguf.metadata());
      ChatTemplate chat = ChatTemplate.from(gguf.metadata(), tokenizer);
      assertEquals(
          "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>"
              + "<|start_header_id|>user<|end_header_id|>\n\nWhy?<|eot_id|>"
              + "<|start_header_id|>assistant<|end_header_id|>\n\n",
          tokenizer.decode(
              chat.render(List.of(ChatMessage.system("Be brief."), ChatMessage.user("Why?\n")))
                  .tokens(),
              true));
    }
  }

  @Test
  void llama3ReturnsRandomTextsAndMillionsOfCharacters() throws IOException {
    Tokenizer tokenizer = open(file("models/llama3-vocab.gguf"));
    long seed = 20261122;
    Random random = new Random(seed);
    for (int n = 0; n < 300; n++) {
      int[] codePoints =
          random
              .ints(100, 0, n % 2 == 0 ? 0x250 : 0x20000)
              .filter(c -> c < Character.MIN_SURROGATE || c > Character.MAX_SURROGATE)
              .toArray();
      String text = new String(codePoints, 0, codePoints.length);
      assertEquals(text, tokenizer.decode(tokenizer.encode(text, true)), "seed " + seed);
    }
    for (String unit : new String[] {" ", "a", "\n", "7", "=", "日", "the ", "<|eot_id|", "\t \n"}) {
      String text = unit.repeat((1 << 20) / unit.length());
      assertEquals(text, tokenizer.decode(tokenizer.encode(text, true)), unit);
    }
  }

  @Test
  void storiesDecodeToTheReferenceText() throws IOException {
    Tokenizer tokenizer = open(file("models/stories260K.gguf"));
    JsonNode reference = json("models/stories260K.reference.json");
    int[] tokens = Arrays.copyOf(ints(reference.get("tokens")), 201);
    tokens[200] = tokenizer.id("▁she").orElseThrow(); // the text is one token longer
    reference
        .get("logits")
        .properties()
        .forEach(
            at -> assertEquals(tokens[Integer.parseInt(at.getKey()) + 1], greedy(at.getValue())));
    String expected = Files.readString(file("models/stories260K.expected.txt"), UTF_8);
    assertEquals(expected, tokenizer.decode(tokens));
    assertEquals(expected, stream(tokenizer, tokens));
    assertEquals(512, tokenizer.vocabularySize());
    assertEquals(Set.of(2), tokenizer.endOfGeneration());
  }

  @Test
  void storiesEncodeTheirOwnTextAgain() throws IOException {
    Tokenizer tokenizer = open(file("models/stories260K.gguf"));
    String text = Files.readString(file("models/stories260K.expected.txt"), UTF_8);
    int[] ids = tokenizer.encodePrompt(text, false);
    assertArrayEquals(
        Arrays.copyOf(ints(json("models/stories260K.reference.json").get("tokens")), 12),
        Arrays.copyOf(ids, 12));
    for (String any : new String[] {text, "", " ", "  two", "é😀\n\0", "<s>", "Ünïcödé\t"}) {
      assertEquals(any, tokenizer.decode(tokenizer.encode(any, false)));
    }
  }

  @Test
  void theDemoModelEncodesAndDecodesItsReference() throws IOException {
    Tokenizer tokenizer = open(file("demo/quern-demo.gguf"));
    JsonNode reference = json("demo/demo.reference.json");
    String text = reference.get("text").asText();
    int[] tokens = ints(reference.get("tokens"));
    assertArrayEquals(tokens, tokenizer.encodePrompt(text, false));
    assertEquals(text, tokenizer.decode(tokens));
    String story = Files.readString(file("demo/demo.expected.txt"), UTF_8);
    assertEquals(story, tokenizer.decode(tokenizer.encode(story, false)));
  }

  private static int greedy(JsonNode logits) {
    float[] values = new float[logits.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) logits.get(i).asDouble();
    }
    return new Sampler(SamplingOptions.GREEDY, values.length).next(values);
  }

  private static String stream(Tokenizer tokenizer, int[] tokens) {
    StreamingDecoder decoder = StreamingDecoder.atStart(tokenizer, false);
    StringBuilder text = new StringBuilder();
    for (int token : tokens) {
      text.append(decoder.next(token));
    }
    return text.append(decoder.finish()).toString();
  }

  private static Tokenizer open(Path path) throws IOException {
    try (GgufFile gguf = GgufFile.open(path)) {
      return Tokenizer.from(gguf.metadata());
    }
  }

  private static JsonNode json(String path) throws IOException {
    return new ObjectMapper().readTree(file(path).toFile());
  }

  private static int[] ints(JsonNode array) {
    return Stream.iterate(0, i -> i < array.size(), i -> i + 1)
        .mapToInt(i -> array.get(i).asInt())
        .toArray();
  }
}

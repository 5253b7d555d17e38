package dev.quern.llama.tokenizer;

import static dev.quern.testing.SharedFiles.file;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.quern.llama.checkpoint.ModelFolder;
import dev.quern.llama.gguf.GgufFile;
import dev.quern.llama.gguf.GgufWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Llama 2's `tokenizer.json`, as Hugging Face's converter writes it, against the GGUF of the same
/// vocabulary.
class SentencePieceJsonTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String SPACE = "\u2581";

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"models/stories260K.gguf", "vocabularies/ggml-vocab-llama-spm.gguf"})
  void itsIdsAreThoseOfTheGguf(String name) throws IOException {
    Definition definition;
    try (GgufFile gguf = GgufFile.open(file(name))) {
      definition = Definition.of(gguf.metadata());
    }
    Tokenizer expected = new Tokenizer(definition);
    Tokenizer actual = read(json(definition));
    assertEquals(expected.bos(), actual.bos());
    assertEquals(expected.eos(), actual.eos());
    assertTrue(actual.addsBos());
    long seed = 20261129;
    Random random = new Random(seed);
    for (int n = 0; n < 5000; n++) {
      String text = text(random, expected);
      assertArrayEquals(
          expected.encode(text, false), actual.encode(text, false), "seed " + seed + ": " + text);
      assertArrayEquals(
          expected.encodePrompt(text, true),
          actual.encodePrompt(text, true),
          "seed " + seed + ": " + text);
      int[] ids = actual.encode(text, false);
      assertEquals(expected.decode(ids), actual.decode(ids), "seed " + seed);
    }
    assertArrayEquals(
        expected.encode("<s> hi</s> <unk>x", true), actual.encode("<s> hi</s> <unk>x", true));
  }

  /// Words, pieces of the vocabulary, spaces in numbers, bytes without a token.
  private static String text(Random random, Tokenizer tokenizer) {
    StringBuilder text = new StringBuilder();
    for (int i = random.nextInt(8); i >= 0; i--) {
      switch (random.nextInt(5)) {
        case 0 -> text.append(" ".repeat(random.nextInt(4)));
        case 1 -> text.append("日本 é\t\n😀".substring(0, random.nextInt(6)));
        case 2 -> text.append(random.nextInt(10_000));
        case 3 -> random.ints(random.nextInt(12), 'a', 'z' + 1).forEach(text::appendCodePoint);
        default -> {
          int id = random.nextInt(tokenizer.vocabularySize());
          text.append(tokenizer.isControl(id) ? "x" : tokenizer.text(id).replace(SPACE, " "));
        }
      }
    }
    return text.toString();
  }

  @Test
  void whatWouldGiveOtherIdsIsRefused() throws IOException {
    refused("pre_tokenizer: 'Metaspace', expected none", j -> metaspace(j, "first"));
    refused(
        "prepend_scheme: 'last'",
        j -> {
          metaspace(j, "last");
          j.putNull("normalizer");
        });
    refused(
        "split: true",
        j -> {
          metaspace(j, "first").put("split", true);
          j.putNull("normalizer");
        });
    refused(
        "replacement: '_'",
        j -> {
          metaspace(j, "first").put("replacement", "_");
          j.putNull("normalizer");
        });
    refused("decoder: ", SentencePieceJsonTest::gemma); // which strips nothing
    refused(
        "pattern: ",
        j -> {
          gemma(j);
          j.putObject("pre_tokenizer")
              .put("type", "Split")
              .putObject("pattern")
              .put("String", SPACE);
        });
    refused("normalizer: ", j -> j.putNull("normalizer"));
    refused("normalizer: ", j -> ((ArrayNode) j.at("/normalizer/normalizers")).remove(0));
    refused("prepend: ", j -> ((ObjectNode) j.at("/normalizer/normalizers/0")).put("prepend", "_"));
    refused("content: ", j -> ((ObjectNode) j.at("/normalizer/normalizers/1")).put("content", "_"));
    refused(
        "pattern: ",
        j ->
            ((ObjectNode) j.at("/normalizer/normalizers/1/pattern")).removeAll().put("Regex", " "));
    refused("decoder: ", j -> ((ArrayNode) j.at("/decoder/decoders")).remove(1));
    refused("start: 2", j -> ((ObjectNode) j.at("/decoder/decoders/3")).put("start", 2));
    refused("ignore_merges: true", j -> ((ObjectNode) j.get("model")).put("ignore_merges", true));
    refused("dropout: ", j -> ((ObjectNode) j.get("model")).put("dropout", 0.1));
    refused("unk_token is '<none>'", j -> ((ObjectNode) j.get("model")).put("unk_token", "<none>"));
    refused("merges: 'a bb', expected it", j -> merges(j, "a b", "b b", "ab b"));
    refused("merges: 'a c', expected two tokens", j -> merges(j, "a b", "b b", "ab b", "a c"));
    refused("merges: 'ab', expected two tokens", j -> merges(j, "ab"));
    refused("merges: 'a  b', expected two tokens", j -> merges(j, "a  b"));
  }

  /// Tokens of equal scores: the merges of both stand between each other.
  @Test
  void interleavedMergesAreOfOneScore() {
    List<String> tokens = List.of("a", "b", "ab", "abb", "bb", "c", "cc");
    float[] scores = SentencePieceJson.scores(tokens, List.of("b b", "a b", "ab b", "c c", "a bb"));
    assertTrue(scores[4] > scores[2]);
    assertTrue(scores[2] > scores[3]);
    assertEquals(scores[3], scores[6]);
    assertTrue(scores[0] < -1e6);
  }

  private static ObjectNode metaspace(ObjectNode json, String scheme) {
    return json.putObject("pre_tokenizer")
        .put("type", "Metaspace")
        .put("replacement", SPACE)
        .put("prepend_scheme", scheme)
        .put("split", false);
  }

  private static void gemma(ObjectNode json) {
    replace(json.putObject("normalizer"), " ", SPACE);
    json.putObject("pre_tokenizer")
        .put("type", "Split")
        .put("behavior", "MergedWithPrevious")
        .putObject("pattern")
        .put("String", " ");
  }

  /// Mistral's and Gemma's forms, through GGUF too.
  @ParameterizedTest
  @ValueSource(strings = {"first", "always", "never", "gemma"})
  void spacesArePutWhereTheFormSays(String form) throws IOException {
    TestDefinition small =
        TestDefinition.sentencePiece(SPACE, "a", "b", SPACE + "a", SPACE + "b", SPACE + SPACE);
    ObjectNode json = json(small.definition());
    if (form.equals("gemma")) {
      gemma(json);
    } else {
      json.putNull("normalizer");
      metaspace(json, form);
    }
    if (form.equals("gemma") || form.equals("never")) {
      ((ArrayNode) json.at("/decoder/decoders")).remove(3);
    }
    Tokenizer tokenizer = read(json);
    Path gguf = folder.resolve("vocabulary.gguf");
    try (GgufWriter writer = GgufWriter.create(gguf)) {
      TokenizerFolder.write(ModelFolder.open(folder), List.of(), 0, writer);
      writer.finish();
    }
    String start = form.equals("gemma") || form.equals("never") ? "" : SPACE;
    String behind = form.equals("always") ? SPACE : "";
    assertEquals(start + "a", spelled(tokenizer, "a"));
    assertEquals(SPACE + "a", spelled(tokenizer, " a"));
    assertEquals("<s>" + behind + "a", spelled(tokenizer, "<s>a"));
    assertEquals("<s>" + SPACE + "a", spelled(tokenizer, "<s> a"));
    assertEquals(
        " a", tokenizer.decode(tokenizer.encode((start.isEmpty() ? "" : " ") + " a", false)));
    try (GgufFile file = GgufFile.open(gguf)) {
      Tokenizer again = Tokenizer.from(file.metadata());
      for (String text : List.of("a", " a", "<s>a", "<s> a b", "a</s>b", "")) {
        assertArrayEquals(tokenizer.encode(text, true), again.encode(text, true), text);
      }
    }
  }

  private static String spelled(Tokenizer tokenizer, String text) {
    return Arrays.stream(tokenizer.encode(text, true))
        .mapToObj(tokenizer::text)
        .collect(Collectors.joining());
  }

  private static void merges(ObjectNode json, String... merges) {
    ArrayNode array = ((ObjectNode) json.get("model")).putArray("merges");
    List.of(merges).forEach(array::add);
  }

  private void refused(String part, Consumer<ObjectNode> change) throws IOException {
    TestDefinition small = TestDefinition.sentencePiece(SPACE, "a", "b", "ab", "bb", "abb", "c");
    ObjectNode sound = json(small.definition());
    read(sound);
    change.accept(sound);
    String message = assertThrows(TokenizerException.class, () -> read(sound)).getMessage();
    assertTrue(message.contains(part), message);
    assertEquals(1, message.lines().count(), message);
  }

  private Tokenizer read(ObjectNode json) throws IOException {
    JSON.writeValue(folder.resolve("tokenizer.json").toFile(), json);
    Files.writeString(
        folder.resolve("tokenizer_config.json"), "{\"bos_token\":\"<s>\",\"eos_token\":\"</s>\"}");
    return TokenizerFolder.read(ModelFolder.open(folder), List.of(), 0);
  }

  /// As transformers' converter of slow tokenizers writes it: a merge for each pair of tokens that
  /// makes a token, by its score and then by the ids of the pair.
  static ObjectNode json(Definition d) {
    ObjectNode json = JSON.createObjectNode();
    ArrayNode added = json.putArray("added_tokens");
    for (String text : List.of("<unk>", "<s>", "</s>")) {
      added
          .addObject()
          .put("id", d.tokens().indexOf(text))
          .put("content", text)
          .put("normalized", false)
          .put("special", true);
    }
    ArrayNode normalizers =
        json.putObject("normalizer").put("type", "Sequence").putArray("normalizers");
    normalizers.addObject().put("type", "Prepend").put("prepend", SPACE);
    replace(normalizers.addObject(), " ", SPACE);
    json.putNull("pre_tokenizer");
    ObjectNode post = json.putObject("post_processor").put("type", "TemplateProcessing");
    ArrayNode single = post.putArray("single");
    single.addObject().putObject("SpecialToken").put("id", "<s>");
    single.addObject().putObject("Sequence").put("id", "A");
    post.putObject("special_tokens")
        .putObject("<s>")
        .putArray("ids")
        .add(d.tokens().indexOf("<s>"));
    ArrayNode decoders = json.putObject("decoder").put("type", "Sequence").putArray("decoders");
    replace(decoders.addObject(), SPACE, " ");
    decoders.addObject().put("type", "ByteFallback");
    decoders.addObject().put("type", "Fuse");
    decoders.addObject().put("type", "Strip").put("content", " ").put("start", 1).put("stop", 0);
    ObjectNode model = json.putObject("model").put("type", "BPE").put("unk_token", "<unk>");
    model.put("fuse_unk", true).put("byte_fallback", true);
    ObjectNode vocabulary = model.putObject("vocab");
    Map<String, Integer> ids = new HashMap<>();
    for (int id = 0; id < d.tokens().size(); id++) {
      vocabulary.put(d.tokens().get(id), id);
      if (d.types()[id] == 1) {
        ids.put(d.tokens().get(id), id);
      }
    }
    record Merge(float score, int left, int right, String text) {}
    List<Merge> merges = new ArrayList<>();
    ids.forEach((text, id) -> {
      for (int cut = 1; cut < text.length(); cut++) {
        Integer left = ids.get(text.substring(0, cut));
        Integer right = ids.get(text.substring(cut));
        if (left != null && right != null) {
          String merge = text.substring(0, cut) + " " + text.substring(cut);
          merges.add(new Merge(d.scores()[id], left, right, merge));
        }
      }
    });
    merges.sort(
        Comparator.comparingDouble((Merge m) -> -m.score())
            .thenComparingInt(Merge::left)
            .thenComparingInt(Merge::right));
    ArrayNode list = model.putArray("merges");
    merges.forEach(m -> list.add(m.text()));
    return json;
  }

  private static void replace(ObjectNode step, String pattern, String content) {
    step.put("type", "Replace").put("content", content).putObject("pattern").put("String", pattern);
  }
}

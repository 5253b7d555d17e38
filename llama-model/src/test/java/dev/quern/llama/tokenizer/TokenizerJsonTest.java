package dev.quern.llama.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.quern.llama.checkpoint.ModelFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// `tokenizer.json` of a vocabulary of bytes, five control tokens and a few merges.
class TokenizerJsonTest {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  @TempDir Path folder;

  @Test
  void wordsMergesAndSpecialTokensAreRead() throws IOException {
    write(_ -> {});
    Tokenizer tokenizer = read(0);
    assertEquals(261, tokenizer.vocabularySize());
    assertArrayEquals(new int[] {258, 259, 256, 32}, ids(tokenizer));
    assertEquals("the\u00e9", tokenizer.decode(tokenizer.encode("the\u00e9", false)));
    assertArrayEquals(new int[] {256, 258}, tokenizer.encodePrompt("the", false));
    assertArrayEquals(new int[] {257}, tokenizer.encode("<|end|>", true));
    assertEquals("<|end|>", tokenizer.decode(tokenizer.encode("<|end|>", false)));
    assertArrayEquals(new int[] {260}, tokenizer.encode("<tool>", false)); // user-defined
    assertEquals(OptionalInt.of(256), tokenizer.bos());
  }

  private static int[] ids(Tokenizer tokenizer) {
    int[] the = tokenizer.encode("the", false);
    int[] th = tokenizer.encode("th", false);
    int[] begin = tokenizer.encode("<|begin|>", true);
    int[] space = tokenizer.encode(" ", false);
    return new int[] {the[0], th[0], begin[0], space[0]};
  }

  @Test
  void idsThatTheVocabularyLacksAreUnused() throws IOException {
    write(_ -> {});
    Tokenizer tokenizer = read(300);
    assertEquals(300, tokenizer.vocabularySize());
    assertEquals("[PAD299]", tokenizer.text(299));
    TokenizerException refused = assertThrows(TokenizerException.class, () -> read(260));
    assertTrue(refused.getMessage().contains("261 tokens, expected at most 260"));
  }

  @Test
  void otherFilesNameTheTokensThatEnd() throws IOException {
    write(_ -> {});
    Files.writeString(
        folder.resolve("tokenizer_config.json"),
        "{\"bos_token\":{\"content\":\"<|begin|>\"},\"eos_token\":\"<|end|>\",\"chat_template\":\"x\"}");
    Files.writeString(folder.resolve("generation_config.json"), "{\"eos_token_id\":[257,260]}");
    Tokenizer tokenizer = TokenizerFolder.read(ModelFolder.open(folder), List.of(256L), 0);
    assertEquals(OptionalInt.of(257), tokenizer.eos());
    assertEquals(Set.of(256, 257, 260), tokenizer.endOfGeneration());
    assertEquals(Optional.of("x"), TokenizerFolder.chatTemplate(ModelFolder.open(folder)));
    Files.writeString(
        folder.resolve("tokenizer_config.json"),
        "{\"chat_template\":[{\"name\":\"rag\",\"template\":\"r\"},{\"name\":\"default\",\"template\":\"d\"}]}");
    assertEquals(Optional.of("d"), TokenizerFolder.chatTemplate(ModelFolder.open(folder)));
    Files.writeString(folder.resolve("chat_template.jinja"), "file");
    assertEquals(Optional.of("file"), TokenizerFolder.chatTemplate(ModelFolder.open(folder)));
    Files.writeString(folder.resolve("tokenizer_config.json"), "{\"eos_token\":\"<|no|>\"}");
    assertTrue(
        assertThrows(TokenizerException.class, () -> read(0)).getMessage().contains("'<|no|>'"));
  }

  /// Qwen2's file: single digits, NFC, and merges for every word.
  @Test
  void qwen2IsRead() throws IOException {
    write(TokenizerJsonTest::makeQwen2);
    assertEquals(Optional.of("qwen2"), definition().pre());
    assertArrayEquals(new int[] {258, 49, 50}, read(0).encode("the12", false));
    write(root -> {
      makeQwen2(root);
      root.putNull("normalizer");
    });
    assertRefused("normalizer: absent");
    write(root -> {
      makeQwen2(root);
      ((ObjectNode) root.get("model")).put("ignore_merges", true);
    });
    assertRefused("ignore_merges: true, expected false, as qwen2 has it");
  }

  @Test
  void smolLmIsRead() throws IOException {
    write(TokenizerJsonTest::makeSmolLm);
    assertEquals(Optional.of("smollm"), definition().pre());
    write(root -> {
      makeSmolLm(root);
      ((ObjectNode) root.at("/pre_tokenizer/pretokenizers/0")).put("individual_digits", false);
    });
    assertRefused("individual_digits: false, expected true");
    write(root -> {
      makeSmolLm(root);
      ((ObjectNode) root.at("/pre_tokenizer/pretokenizers/1")).put("use_regex", false);
    });
    assertRefused("use_regex: false, expected true");
  }

  /// The words of Llama 3 where merges count, as SmolLM3's files may have it.
  @Test
  void wordsOfLlama3WithMergesAreRead() throws IOException {
    write(root -> ((ObjectNode) root.get("model")).put("ignore_merges", false));
    assertEquals(Optional.of("smaug-bpe"), definition().pre());
  }

  /// Mistral's Tekken and GPT-4o's words, in both ways to say that a match is a word.
  @Test
  void casedWordsAreRead() throws IOException {
    write(root -> makeCased(root, "", "\\p{N}", true));
    assertEquals(Optional.of("tekken"), definition().pre());
    write(root -> makeCased(root, "(?i:'s|'t|'re|'ve|'m|'ll|'d)?", "\\p{N}{1,3}", false));
    assertEquals(Optional.of("gpt-4o"), definition().pre());
    write(root -> {
      makeCased(root, "(?i:'s|'t|'re|'ve|'m|'ll|'d)?", "\\p{N}{1,3}", false);
      ((ObjectNode) root.at("/pre_tokenizer/pretokenizers/0"))
          .put("behavior", "Removed")
          .put("invert", true);
    });
    assertEquals(Optional.of("gpt-4o"), definition().pre());
    write(root -> makeCased(root, "", "\\p{N}", false));
    assertRefused("ignore_merges: false, expected true, as tekken has it");
  }

  /// As StarCoder's and Granite's files may name one: no text becomes it.
  @Test
  void anUnknownTokenIsNoneOfText() throws IOException {
    write(root -> ((ObjectNode) root.get("model")).put("unk_token", "<|end|>"));
    assertEquals("a\u0000\ufffd", read(0).decode(read(0).encode("a\u0000\ufffd", false)));
  }

  private static void makeCased(
      ObjectNode root, String contraction, String number, boolean ignoresMerges) {
    String upper = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]";
    String lower = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]";
    String before = "[^\\r\\n\\p{L}\\p{N}]?" + upper;
    ((ObjectNode) root.get("model")).put("ignore_merges", ignoresMerges);
    ((ObjectNode) root.at("/pre_tokenizer/pretokenizers/0/pattern"))
        .put(
            "Regex",
            before
                + "*"
                + lower
                + "+"
                + contraction
                + "|"
                + before
                + "+"
                + lower
                + "*"
                + contraction
                + "|"
                + number
                + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+");
  }

  private static void makeQwen2(ObjectNode root) {
    ((ObjectNode) root.get("model")).put("ignore_merges", false);
    root.putObject("normalizer").put("type", "NFC");
    ((ObjectNode) root.at("/pre_tokenizer/pretokenizers/0/pattern"))
        .put(
            "Regex",
            "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+");
  }

  private static void makeSmolLm(ObjectNode root) {
    ((ObjectNode) root.get("model")).put("ignore_merges", false);
    ArrayNode steps = ((ObjectNode) root.get("pre_tokenizer")).putArray("pretokenizers");
    steps.addObject().put("type", "Digits").put("individual_digits", true);
    steps
        .addObject()
        .put("type", "ByteLevel")
        .put("add_prefix_space", false)
        .put("use_regex", true);
  }

  private Definition definition() throws IOException {
    TokenizerJson.Context context =
        new TokenizerJson.Context(Optional.empty(), Optional.empty(), List.of(), 0);
    return TokenizerJson.read(folder.resolve("tokenizer.json"), context).definition();
  }

  private void assertRefused(String part) {
    TokenizerException refused = assertThrows(TokenizerException.class, () -> read(0));
    assertTrue(refused.getMessage().contains(part), refused.getMessage());
  }

  static Stream<Arguments> others() {
    return Stream.of(
        other(
            "a model of another type",
            "/model/type",
            "\"Unigram\"",
            "model.type: 'Unigram', expected BPE"),
        other("no model", "/model", "null", "expected an object"),
        other("dropout", "/model/dropout", "0.1", "model.dropout: 0.1, expected none"),
        other("an unknown token", "/model/unk_token", "\"<unk>\"", "model.unk_token"),
        other(
            "a subword prefix",
            "/model/continuing_subword_prefix",
            "\"##\"",
            "model.continuing_subword_prefix: '##'"),
        other("byte fallback", "/model/byte_fallback", "true", "expected false with byte_fallback"),
        other("no ignore_merges", "/model/ignore_merges", "null", "model.ignore_merges: absent"),
        other(
            "a normalizer",
            "/normalizer",
            "{\"type\":\"NFC\"}",
            "normalizer: an object, expected none"),
        other(
            "truncation",
            "/truncation",
            "{\"max_length\":5}",
            "truncation: an object, expected none"),
        other(
            "another decoder", "/decoder", "{\"type\":\"Metaspace\"}", "decoder.type: 'Metaspace'"),
        other("no words", "/pre_tokenizer", "null", "pre_tokenizer: absent"),
        other(
            "words of GPT-2",
            "/pre_tokenizer",
            "{\"type\":\"ByteLevel\"}",
            "pre_tokenizer.type: 'ByteLevel'"),
        other(
            "another regular expression",
            "/pre_tokenizer/pretokenizers/0/pattern/Regex",
            "\"\\\\p{N}\"",
            "expected the regular expression of Llama 3"),
        other(
            "a pattern that is text",
            "/pre_tokenizer/pretokenizers/0/pattern",
            "{\"String\":\" \"}",
            "Regex: absent"),
        other(
            "another behaviour",
            "/pre_tokenizer/pretokenizers/0/behavior",
            "\"MergedWithNext\"",
            "'MergedWithNext', expected Isolated"),
        other(
            "an inverted pattern",
            "/pre_tokenizer/pretokenizers/0/invert",
            "true",
            "invert: true, expected false"),
        other(
            "a prefix space",
            "/pre_tokenizer/pretokenizers/1/add_prefix_space",
            "true",
            "add_prefix_space: true"),
        other("words twice", "/pre_tokenizer/pretokenizers/1/use_regex", "true", "use_regex: true"),
        other(
            "another post-processor",
            "/post_processor/processors/1",
            "{\"type\":\"BertProcessing\"}",
            "'BertProcessing', expected"),
        other(
            "a template without text",
            "/post_processor/processors/1/single",
            "[]",
            "single: no text"),
        other(
            "a template of two texts",
            "/post_processor/processors/1/single",
            "[{\"Sequence\":{}},{\"Sequence\":{}}]",
            "single: another order"),
        other(
            "a template with an unknown token",
            "/post_processor/processors/1/special_tokens",
            "{}",
            "0 ids for '<|begin|>'"),
        other(
            "a token that eats spaces",
            "/added_tokens/0/lstrip",
            "true",
            "lstrip: true for '<|begin|>'"),
        other("an id of 2^20", "/added_tokens/0/id", "1048576", "expected 0 to 1048575"),
        other("a negative id", "/added_tokens/0/id", "-1", "id: -1"),
        other("an added token with another's id", "/added_tokens/0/id", "65", "with the id of"),
        other("an id twice", "/model/vocab/zz", "65", "the id 65 of"),
        other("an id that is no number", "/model/vocab/zz", "\"1\"", "expected a count"),
        other(
            "an id past all bounds",
            "/model/vocab/zz",
            "99999999999999999999999",
            "expected 0 to 1048575"),
        other("a vocabulary that is a list", "/model/vocab", "[]", "expected an object"),
        other("merges that are no list", "/model/merges", "{}", "expected an array"),
        other("a merge of one text", "/model/merges", "[[\"t\"]]", "a merge of 1 texts"),
        other(
            "a merge of three texts",
            "/model/merges",
            "[[\"t\",\"h\",\"e\"]]",
            "a merge of three texts"),
        other(
            "a merge of unknown texts",
            "/model/merges",
            "[\"q z\"]",
            "tokenizer.json: tokenizer.ggml.merges[0]"),
        other("a merge without a space", "/model/merges", "[\"qz\"]", "expected two texts"),
        other("no merges", "/model/merges", "[]", "merges is missing or empty"),
        other("a lost byte", "/model/vocab/A", null, "stands for the byte 0x41"));
  }

  private static Arguments other(String name, String pointer, String json, String part) {
    return Arguments.of(name, pointer, json, part);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("others")
  void otherKindsAreRefusedInOneLine(String name, String pointer, String json, String part)
      throws IOException {
    write(root -> {
      int slash = pointer.lastIndexOf('/');
      JsonNode parent = root.at(pointer.substring(0, slash));
      String key = pointer.substring(slash + 1);
      try {
        if (json == null) {
          ((ObjectNode) parent).remove(key);
        } else if (parent instanceof ArrayNode array) {
          array.set(Integer.parseInt(key), MAPPER.readTree(json));
        } else {
          ((ObjectNode) parent).set(key, MAPPER.readTree(json));
        }
      } catch (IOException e) {
        throw new java.io.UncheckedIOException(e);
      }
    });
    TokenizerException refused = assertThrows(TokenizerException.class, () -> read(0));
    assertTrue(refused.getMessage().contains(part), refused.getMessage());
    assertEquals(1, refused.getMessage().lines().count(), refused.getMessage());
  }

  private Tokenizer read(int vocabulary) throws IOException {
    return TokenizerFolder.read(ModelFolder.open(folder), List.of(), vocabulary);
  }

  /// Ids 0 .. 255 are the bytes, 256 and 257 control tokens, 258 `the`, 259 `th`, 260 a user's.
  private void write(Consumer<ObjectNode> change) throws IOException {
    ObjectNode root =
        (ObjectNode)
            MAPPER.readTree(
                TokenizerJsonTest.class.getResourceAsStream("../llama3-tokenizer-frame.json"));
    ObjectNode vocab = (ObjectNode) root.at("/model/vocab");
    for (int b = 0; b < 256; b++) {
      vocab.put(Character.toString(ByteAlphabet.charOf((byte) b)), b);
    }
    vocab.put("the", 258).put("th", 259);
    ArrayNode merges = (ArrayNode) root.at("/model/merges");
    merges.add("t h");
    merges.addArray().add("th").add("e");
    ArrayNode added = (ArrayNode) root.at("/added_tokens");
    added.addObject().put("id", 256).put("content", "<|begin|>").put("special", true);
    added.addObject().put("id", 257).put("content", "<|end|>").put("special", true);
    added.addObject().put("id", 260).put("content", "<tool>").put("special", false);
    ObjectNode template = (ObjectNode) root.at("/post_processor/processors/1");
    template.withArray("single").insertObject(0).putObject("SpecialToken").put("id", "<|begin|>");
    template.putObject("special_tokens").putObject("<|begin|>").putArray("ids").add(256);
    change.accept(root);
    MAPPER.writeValue(folder.resolve("tokenizer.json").toFile(), root);
  }
}

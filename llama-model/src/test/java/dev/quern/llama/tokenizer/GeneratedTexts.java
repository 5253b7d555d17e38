package dev.quern.llama.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.zip.CRC32;
import java.util.zip.GZIPInputStream;

/// 2,000 texts and what other engines make of them (`generated.py`).
final class GeneratedTexts {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private final JsonNode reference;
  private final List<String> texts;

  GeneratedTexts() {
    try (InputStream in =
        new GZIPInputStream(
            GeneratedTexts.class.getResourceAsStream("generated.reference.json.gz"))) {
      reference = MAPPER.readTree(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    texts = strings("texts");
  }

  List<String> texts() {
    return texts;
  }

  private List<String> strings(String key) {
    return List.of(MAPPER.convertValue(reference.get(key), String[].class));
  }

  /// Names of a kind by its first one, as llama.cpp knows them.
  Map<String, List<String>> names() {
    Map<String, List<String>> names = new TreeMap<>();
    reference
        .get("names")
        .properties()
        .forEach(kind ->
            names.put(
                kind.getKey(),
                List.of(MAPPER.convertValue(kind.getValue().get(1), String[].class))));
    return names;
  }

  /// Whether llama.cpp puts BOS before a text where the metadata does not say.
  boolean addsBos(String kind) {
    return reference.at("/names/" + kind + "/0").asBoolean();
  }

  /// The byte-level vocabulary of `generated.py`.
  Definition vocabulary(String pre) {
    TestDefinition definition = TestDefinition.bytePair(strings("merges"), strings("extra"));
    definition.pre = Optional.of(pre);
    return definition.definition();
  }

  /// The SentencePiece vocabulary of `generated.py`, without the types of its framing tokens.
  Tokenizer pieces(SpacePrefix prefix) {
    TestDefinition definition = new TestDefinition();
    definition.model = Optional.of("llama");
    for (JsonNode piece : reference.get("pieces")) {
      definition.add(piece.get(0).asText(), piece.get(1).asInt());
      definition.scores.set(definition.scores.size() - 1, (float) piece.get(2).asDouble());
    }
    definition.eos = OptionalLong.of(1);
    definition.bos = OptionalLong.of(2);
    definition.unknown = OptionalLong.of(3);
    definition.spacePrefix = Optional.of(prefix);
    return definition.tokenizer();
  }

  /// Which texts have other ids than an engine gives them; the first few are in the message.
  ///
  /// @param path of the reference, such as `/llama.cpp/qwen2`
  List<String> differing(String path, Function<String, int[]> encode) {
    byte[] sums = Base64.getDecoder().decode(reference.at(path).asText());
    List<String> differing = new ArrayList<>();
    for (int n = 0; n < texts.size(); n++) {
      int sum = sums[3 * n] & 0xff | (sums[3 * n + 1] & 0xff) << 8 | (sums[3 * n + 2] & 0xff) << 16;
      if (sums.length != 3 * texts.size() || sum != sum(encode.apply(texts.get(n)))) {
        differing.add(texts.get(n));
      }
    }
    return differing;
  }

  private static int sum(int[] ids) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * ids.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asIntBuffer().put(ids);
    CRC32 sum = new CRC32();
    sum.update(bytes);
    return (int) sum.getValue() & 0xffffff;
  }
}

package dev.quern.llama.tokenizer;

import dev.quern.llama.text.Json;
import dev.quern.llama.text.JsonObject;
import dev.quern.llama.text.Printable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/// Reads `tokenizer.json` of Hugging Face's tokenizers library. What is read:
///
/// ```
/// added_tokens      special ones become control tokens, others user-defined ones
/// normalizer, pre_tokenizer, decoder, model: BPE
///                   see ByteLevelJson, and SentencePieceJson with byte_fallback
/// post_processor    ByteLevel (moves offsets only), TemplateProcessing that may put BOS before and
///                   EOS behind
/// model             vocab {TEXT: id}, merges ["a b"] or [["a", "b"]]
/// ```
///
/// Everything else would give other ids than the file means, so it is refused.
final class TokenizerJson {
  /// Enough for ten times Llama 3's, which is 17 MB.
  private static final long MAX_BYTES = 256 << 20;

  private static final int MAX_TOKENS = 1 << 20;

  // Numbers of TokenType.
  private static final int NORMAL = 1;
  private static final int UNKNOWN = 2;
  private static final int CONTROL = 3;
  private static final int USER_DEFINED = 4;
  private static final int UNUSED = 5;
  private static final int BYTE = 6;

  private final Map<Integer, String> texts = new HashMap<>(); // by id
  private final Map<Integer, Integer> types = new HashMap<>(); // by id, where not normal
  private final List<String> merges = new ArrayList<>();
  private JsonObject root; // all but vocabulary and merges
  private final List<Long> stripsRight = new ArrayList<>(); // ids
  private Optional<String> pre = Optional.empty(); // GGUF's name, of byte-level BPE
  private Optional<SpacePrefix> spacePrefix = Optional.empty(); // of SentencePiece
  private OptionalLong before = OptionalLong.empty(); // what a template puts before a text
  private OptionalLong behind = OptionalLong.empty();

  private TokenizerJson() {}

  /// What other files say about the tokens.
  ///
  /// @param bos text of the token that begins a text
  /// @param eos text of the token that ends a text
  /// @param ends ids that end a generation
  /// @param vocabulary ids from 0 that the model has; 0 if unknown
  record Context(Optional<String> bos, Optional<String> eos, List<Long> ends, int vocabulary) {}

  /// What a file defines, and the tokenizer that this makes.
  record Result(Definition definition, Tokenizer tokenizer) {}

  static Result read(Path path, Context context) throws IOException {
    TokenizerJson json = new TokenizerJson();
    json.parse(path);
    if (SentencePieceJson.is(json.root)) {
      json.spacePrefix = Optional.of(SentencePieceJson.check(json.root));
    } else {
      json.pre = Optional.of(ByteLevelJson.check(json.root));
    }
    json.addedTokens();
    json.checkUnknown();
    json.root.object("post_processor").ifPresent(json::postProcessor);
    try {
      Definition definition = json.definition(context);
      return new Result(definition, new Tokenizer(definition));
    } catch (TokenizerException e) { // speaks of GGUF's keys, so it gets the file's name
      TokenizerException named = new TokenizerException(json.root.file() + ": " + e.getMessage());
      named.initCause(e);
      throw named;
    }
  }

  private void parse(Path path) throws IOException {
    Map<String, Object> members = new LinkedHashMap<>();
    Map<String, Object> model = new LinkedHashMap<>();
    Json.stream(
        path,
        MAX_BYTES,
        TokenizerException::new,
        (key, json) -> {
          if (!key.equals("model")) {
            members.put(key, json.value());
            return;
          }
          members.put(key, model);
          json.members((name, value) -> {
            switch (name) {
              case "vocab" -> value.members((text, id) -> add(text, id));
              case "merges" -> value.elements((_, merge) -> merges.add(merge(merge)));
              default -> model.put(name, value.value());
            }
          });
        });
    root = new JsonObject(Printable.escaped(path.toString()), "", members, TokenizerException::new);
  }

  private void add(String text, Json id) throws IOException {
    int number = (int) id.count(MAX_TOKENS - 1);
    String other = texts.putIfAbsent(number, text);
    if (other != null) {
      throw id.fail(
          String.format(Locale.ROOT, "the id %d of %s", number, Printable.quoted(other)),
          "an id for each token");
    }
  }

  private static String merge(Json merge) throws IOException {
    if (!merge.isArray()) {
      return merge.string();
    }
    List<String> parts = new ArrayList<>();
    merge.elements((_, part) -> {
      if (parts.size() == 2) {
        throw part.fail("a merge of three texts", "two");
      }
      parts.add(part.string());
    });
    if (parts.size() != 2) {
      throw merge.fail(String.format(Locale.ROOT, "a merge of %d texts", parts.size()), "two");
    }
    return String.join(" ", parts);
  }

  static void checkAffixes(JsonObject model) {
    for (String affix : List.of("continuing_subword_prefix", "end_of_word_suffix")) {
      if (!model.string(affix).orElse("").isEmpty()) {
        throw model.fail(affix, model.shown(affix), "none");
      }
    }
  }

  /// Tokens that are found in text as a whole. They may also be in the vocabulary.
  private void addedTokens() {
    for (JsonObject token : root.objects("added_tokens").orElse(List.of())) {
      long id = token.integer("id").orElseThrow(() -> missing(token, "id"));
      String text = token.string("content").orElseThrow(() -> missing(token, "content"));
      if (id < 0 || id >= MAX_TOKENS) {
        throw token.fail("id", Long.toString(id), "0 to " + (MAX_TOKENS - 1));
      }
      for (String flag : List.of("single_word", "lstrip")) {
        if (token.bool(flag).orElse(false)) {
          throw token.fail(flag, "true for " + Printable.quoted(text), "false");
        }
      }
      String other = texts.putIfAbsent((int) id, text);
      if (other != null && !other.equals(text)) {
        throw token.fail(
            "content",
            String.format(
                Locale.ROOT,
                "%s with the id of %s",
                Printable.quoted(text),
                Printable.quoted(other)),
            "an id for each token");
      }
      if (token.bool("rstrip").orElse(false)) {
        stripsRight.add(id);
      }
      types.put((int) id, token.bool("special").orElse(false) ? CONTROL : USER_DEFINED);
    }
  }

  /// Byte-level text never meets it, as every byte has a token; but it must be one.
  private void checkUnknown() {
    JsonObject model = root.object("model").orElseThrow();
    Optional<String> unknown = model.string("unk_token");
    if (pre.isPresent() && unknown.isPresent() && !texts.containsValue(unknown.get())) {
      throw model.fail("unk_token", model.shown("unk_token"), "none, or a token");
    }
  }

  private void postProcessor(JsonObject step) {
    String type = step.string("type").orElse("");
    switch (type) {
      case "Sequence" -> step.objects("processors").orElse(List.of()).forEach(this::postProcessor);
      case "ByteLevel" -> {} // moves offsets into the text, which nobody asks for here
      case "TemplateProcessing" -> template(step);
      default ->
          throw step.fail("type", step.shown("type"), "Sequence, ByteLevel or TemplateProcessing");
    }
  }

  /// `single`: the text, with a token before it or behind it or both.
  private void template(JsonObject step) {
    boolean text = false;
    for (JsonObject piece : step.objects("single").orElse(List.of())) {
      if (piece.has("Sequence") && !text) {
        text = true;
      } else if (piece.has("SpecialToken") && (text ? behind : before).isEmpty()) {
        OptionalLong id = OptionalLong.of(specialToken(step, piece));
        before = text ? before : id;
        behind = text ? id : behind;
      } else {
        throw step.fail("single", "another order", "at most a token, the text, at most a token");
      }
    }
    if (!text) {
      throw step.fail("single", "no text", "at most a token, the text, at most a token");
    }
  }

  private static long specialToken(JsonObject step, JsonObject piece) {
    String name = piece.object("SpecialToken").flatMap(t -> t.string("id")).orElse("");
    List<Long> ids =
        step.object("special_tokens")
            .flatMap(all -> all.object(name))
            .map(token -> token.integers("ids"))
            .orElse(List.of());
    if (ids.size() != 1) {
      throw step.fail(
          "special_tokens",
          String.format(Locale.ROOT, "%d ids for %s", ids.size(), Printable.quoted(name)),
          "one");
    }
    return ids.getFirst();
  }

  private Definition definition(Context context) {
    boolean sentencePiece = spacePrefix.isPresent();
    int listed = texts.keySet().stream().mapToInt(id -> id + 1).max().orElse(0);
    if (context.vocabulary() > 0 && listed > context.vocabulary()) {
      throw new TokenizerException(
          String.format(
              Locale.ROOT,
              "%d tokens, expected at most %d, the rows of the embedding matrix",
              listed,
              context.vocabulary()));
    }
    int size = Math.max(listed, context.vocabulary());
    List<String> tokens = new ArrayList<>(size);
    int[] numbers = new int[size];
    for (int id = 0; id < size; id++) { // ids without a text: named as llama.cpp's converter does
      boolean used = texts.containsKey(id);
      tokens.add(used ? texts.get(id) : "[PAD" + id + "]");
      numbers[id] = used ? types.getOrDefault(id, NORMAL) : UNUSED;
    }
    OptionalLong unknown =
        sentencePiece
            ? id(root.object("model").flatMap(model -> model.string("unk_token")), "unk_token")
            : OptionalLong.empty();
    if (sentencePiece) {
      unknown.ifPresent(id -> numbers[(int) id] = UNKNOWN);
      for (int id = 0; id < size; id++) {
        numbers[id] =
            numbers[id] == NORMAL && Definition.isByte(tokens.get(id)) ? BYTE : numbers[id];
      }
    }
    OptionalLong eos =
        behind.isPresent() ? behind : id(context.eos(), "eos_token of tokenizer_config.json");
    return new Definition(
        Optional.of(sentencePiece ? "llama" : "gpt2"),
        pre,
        tokens,
        numbers,
        sentencePiece ? SentencePieceJson.scores(tokens, merges) : new float[0],
        sentencePiece ? List.of() : merges,
        new Definition.Ids(
            before.isPresent() ? before : id(context.bos(), "bos_token of tokenizer_config.json"),
            eos,
            OptionalLong.empty(),
            OptionalLong.empty(),
            unknown,
            context.ends(),
            stripsRight),
        new Definition.Flags(
            Optional.of(before.isPresent()), Optional.of(behind.isPresent()), spacePrefix));
  }

  private OptionalLong id(Optional<String> text, String key) {
    if (text.isEmpty()) {
      return OptionalLong.empty();
    }
    return OptionalLong.of(
        texts.entrySet().stream()
            .filter(e -> e.getValue().equals(text.get()))
            .mapToLong(Map.Entry::getKey)
            .min()
            .orElseThrow(() ->
                new TokenizerException(
                    String.format(
                        Locale.ROOT,
                        "%s is %s, expected a token of the vocabulary",
                        key,
                        Printable.quoted(text.get())))));
  }

  static void expect(JsonObject json, String key, String expected) {
    if (!json.string(key).equals(Optional.of(expected))) {
      throw json.fail(key, json.shown(key), expected);
    }
  }

  static void absent(JsonObject json, String... keys) {
    for (String key : keys) {
      if (json.has(key)) {
        throw json.fail(key, json.shown(key), "none");
      }
    }
  }

  private static RuntimeException missing(JsonObject json, String key) {
    return json.fail(key, "absent", "it in a tokenizer.json of byte-level BPE");
  }
}

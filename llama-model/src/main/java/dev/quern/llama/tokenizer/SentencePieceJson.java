package dev.quern.llama.tokenizer;

import dev.quern.llama.text.JsonObject;
import dev.quern.llama.text.Printable;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// The `tokenizer.json` of a SentencePiece vocabulary, spelt as BPE, in three forms:
///
/// ```
///                   Llama 2, Phi-3             Mistral                 Gemma
/// normalizer        Prepend U+2581,            none                    Replace " " by it
///                   Replace " " by it
/// pre_tokenizer     none                       Metaspace, no split     none, or Split at " ",
///                                                                      which finds none
/// decoder           Replace it by " ", ByteFallback, Fuse; but for Gemma, Strip one " " from the start
/// space before      every text (EACH)          as prepend_scheme says  no text (NEVER)
/// model             BPE: byte_fallback, unk_token, merges of every pair that makes a token
/// ```
///
/// SentencePiece knows no merges: of all neighbours that together are a token, those with the best
/// score merge first. So the merges say what the scores were: their order, if every pair is there.
final class SentencePieceJson {
  private static final String SPACE = "\u2581";

  /// Below all scores.
  private static final float WORST = -1e9f;

  /// SentencePiece makes pieces of 16 characters at most, if nobody asks for more.
  private static final int MAX_PIECE = 64;

  private SentencePieceJson() {}

  /// Whether a file is of this kind.
  static boolean is(JsonObject root) {
    return root.object("model").flatMap(model -> model.bool("byte_fallback")).orElse(false);
  }

  /// Where the vocabulary puts a space.
  ///
  /// @throws TokenizerException where something would give other ids
  static SpacePrefix check(JsonObject root) {
    JsonObject model = root.object("model").orElseThrow();
    TokenizerJson.expect(model, "type", "BPE");
    TokenizerJson.absent(model, "dropout");
    TokenizerJson.absent(root, "truncation");
    TokenizerJson.checkAffixes(model);
    if (model.bool("ignore_merges").orElse(false)) {
      throw model.fail("ignore_merges", "true", "false with byte_fallback");
    }
    SpacePrefix prefix = prefix(root);
    checkDecoder(root, prefix);
    return prefix;
  }

  private static SpacePrefix prefix(JsonObject root) {
    Optional<JsonObject> normalizer = root.object("normalizer");
    Optional<JsonObject> words = root.object("pre_tokenizer");
    if (normalizer.isEmpty() && words.isPresent()) {
      return metaspace(words.get());
    }
    if (normalizer.flatMap(n -> n.string("type")).equals(Optional.of("Replace"))) {
      replace(normalizer.get(), " ", SPACE);
      words.ifPresent(SentencePieceJson::requireIdle);
      return SpacePrefix.NEVER;
    }
    if (words.isPresent()) {
      throw root.fail("pre_tokenizer", words.get().shown("type"), "none with such a normalizer");
    }
    steps(root, "normalizer", "normalizers", List.of("Prepend", "Replace"));
    List<JsonObject> normalizers = list(root, "normalizer", "normalizers");
    TokenizerJson.expect(normalizers.get(0), "prepend", SPACE);
    replace(normalizers.get(1), " ", SPACE);
    return SpacePrefix.EACH;
  }

  private static SpacePrefix metaspace(JsonObject words) {
    TokenizerJson.expect(words, "type", "Metaspace");
    TokenizerJson.expect(words, "replacement", SPACE);
    if (words.bool("split").orElse(true)) {
      throw words.fail("split", words.shown("split"), "false, as merges lie across words");
    }
    return switch (words.string("prepend_scheme").orElse("")) {
      case "first" -> SpacePrefix.FIRST;
      case "always" -> SpacePrefix.ALWAYS;
      case "never" -> SpacePrefix.NEVER;
      default ->
          throw words.fail(
              "prepend_scheme", words.shown("prepend_scheme"), "first, always or never");
    };
  }

  /// Gemma's files split at what the normalizer has replaced.
  private static void requireIdle(JsonObject words) {
    TokenizerJson.expect(words, "type", "Split");
    Optional<JsonObject> pattern = words.object("pattern");
    if (!pattern.flatMap(p -> p.string("String")).equals(Optional.of(" "))) {
      throw words.fail("pattern", words.shown("pattern"), "' ', of which there are none any more");
    }
  }

  private static void checkDecoder(JsonObject root, SpacePrefix prefix) {
    List<String> expected = List.of("Replace", "ByteFallback", "Fuse", "Strip");
    steps(
        root,
        "decoder",
        "decoders",
        prefix == SpacePrefix.NEVER ? expected.subList(0, 3) : expected);
    List<JsonObject> decoders = list(root, "decoder", "decoders");
    replace(decoders.get(0), SPACE, " ");
    if (prefix != SpacePrefix.NEVER) {
      JsonObject strip = decoders.get(3);
      TokenizerJson.expect(strip, "content", " ");
      if (strip.integer("start").orElse(0) != 1 || strip.integer("stop").orElse(0) != 0) {
        throw strip.fail("start", strip.shown("start"), "1, and stop 0");
      }
    }
  }

  /// The scores of the tokens: those of an earlier merge are better. Tokens whose merges interleave
  /// had the same score.
  ///
  /// @param merges `"left right"`, the first before all others
  /// @return `[tokens]`
  /// @throws TokenizerException where merges don't say what the scores were
  static float[] scores(List<String> tokens, List<String> merges) {
    Map<String, Integer> ids = new HashMap<>();
    for (int id = 0; id < tokens.size(); id++) {
      ids.put(tokens.get(id), id);
    }
    int[] first = new int[tokens.size()]; // [tokens], the first merge that makes it, + 1
    int[] last = new int[tokens.size()];
    Set<String> known = new HashSet<>();
    for (int rank = 0; rank < merges.size(); rank++) {
      String merge = merges.get(rank);
      String[] parts = merge.split(" ", -1);
      Integer made = parts.length == 2 ? ids.get(parts[0] + parts[1]) : null;
      if (made == null || !ids.containsKey(parts[0]) || !ids.containsKey(parts[1])) {
        throw failure(merge, "two tokens that make a third");
      }
      known.add(merge);
      first[made] = first[made] == 0 ? rank + 1 : first[made];
      last[made] = rank + 1;
    }
    requireAllPairs(tokens, ids, first, known);
    int[] group = new int[merges.size() + 2]; // by rank + 1: how far its group reaches
    for (int id = 0; id < first.length; id++) {
      group[first[id]] = Math.max(group[first[id]], last[id]);
    }
    float[] scores = new float[tokens.size()];
    float[] byRank = new float[merges.size() + 2];
    float score = 0;
    for (int rank = 1, end = 0; rank <= merges.size(); rank++) {
      score = rank > end ? score - 1 : score;
      end = Math.max(end, group[rank]);
      byRank[rank] = score;
    }
    for (int id = 0; id < scores.length; id++) {
      scores[id] = first[id] == 0 ? WORST : byRank[first[id]];
    }
    return scores;
  }

  /// A pair that is no merge would not be merged there, and would be by SentencePiece.
  private static void requireAllPairs(
      List<String> tokens, Map<String, Integer> ids, int[] made, Set<String> known) {
    for (String token : tokens) {
      if (made[ids.get(token)] == 0) {
        continue; // a character, a byte, a special token
      }
      if (token.length() > MAX_PIECE) { // its parts are looked up, each with each
        throw failure(token, "tokens of at most " + MAX_PIECE + " characters");
      }
      for (int cut = 1; cut < token.length(); cut++) {
        String left = token.substring(0, cut);
        String right = token.substring(cut);
        if (ids.containsKey(left)
            && ids.containsKey(right)
            && !known.contains(left + " " + right)) {
          throw failure(left + " " + right, "it among the merges, as all pairs that make a token");
        }
      }
    }
  }

  private static TokenizerException failure(String merge, String expected) {
    return new TokenizerException(
        String.format(
            Locale.ROOT,
            "model.merges: %s, expected %s: use the model as GGUF",
            Printable.quoted(merge),
            expected));
  }

  private static List<JsonObject> list(JsonObject root, String key, String members) {
    return root.object(key).flatMap(json -> json.objects(members)).orElse(List.of());
  }

  private static void steps(JsonObject root, String key, String members, List<String> expected) {
    List<String> types =
        list(root, key, members).stream().map(step -> step.string("type").orElse("?")).toList();
    if (!types.equals(expected)) {
      throw root.fail(
          key,
          Printable.quoted(types.toString()),
          String.format(
              Locale.ROOT,
              "%s, or another of the forms that Llama 2, Mistral and Gemma have; or use the model as GGUF",
              expected));
    }
  }

  private static void replace(JsonObject step, String pattern, String content) {
    Optional<JsonObject> what = step.object("pattern");
    if (!what.flatMap(p -> p.string("String")).equals(Optional.of(pattern))) {
      throw step.fail("pattern", step.shown("pattern"), Printable.quoted(pattern));
    }
    TokenizerJson.expect(step, "content", content);
  }
}

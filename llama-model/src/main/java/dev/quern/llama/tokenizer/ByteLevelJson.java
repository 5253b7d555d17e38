package dev.quern.llama.tokenizer;

import dev.quern.llama.text.JsonObject;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The `tokenizer.json` of byte-level BPE, whose words must be known:
///
/// ```
/// normalizer        none; NFC where words are Qwen2's
/// pre_tokenizer     Split by a known regular expression, then ByteLevel without one;
///                   or Digits, then ByteLevel with its own (SmolLM, Granite)
/// decoder           ByteLevel
/// model             BPE: ignore_merges as the words' vocabularies have it
/// ```
final class ByteLevelJson {
  /// The expression that [Llama3Splitter] is a scanner for, in the library's dialect.
  static final String LLAMA3 =
      "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

  private static final String UPPER = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]";
  private static final String LOWER = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]";

  private static final Map<String, List<Words>> BY_EXPRESSION =
      Map.of(
          LLAMA3,
          PreTokenizer.BY_LLAMA3,
          LLAMA3.replace("{1,3}", ""),
          PreTokenizer.BY_QWEN2,
          cased("", "\\p{N}"),
          PreTokenizer.BY_TEKKEN,
          cased("(?i:'s|'t|'re|'ve|'m|'ll|'d)?", "\\p{N}{1,3}"),
          PreTokenizer.BY_GPT4O);

  private ByteLevelJson() {}

  /// The expressions that [CasedSplitter] is a scanner for.
  private static String cased(String contraction, String number) {
    String before = "[^\\r\\n\\p{L}\\p{N}]?";
    return String.join(
        "|",
        before + UPPER + "*" + LOWER + "+" + contraction,
        before + UPPER + "+" + LOWER + "*" + contraction,
        number,
        " ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*",
        "\\s*[\\r\\n]+",
        "\\s+(?!\\S)",
        "\\s+");
  }

  /// The name in GGUF of the pre-tokenizer.
  ///
  /// @throws TokenizerException where something would give other ids
  static String check(JsonObject root) {
    JsonObject model = root.object("model").orElseThrow(() -> missing(root, "model"));
    TokenizerJson.expect(model, "type", "BPE");
    TokenizerJson.absent(model, "dropout");
    TokenizerJson.checkAffixes(model);
    TokenizerJson.absent(root, "truncation");
    JsonObject decoder = root.object("decoder").orElseThrow(() -> missing(root, "decoder"));
    TokenizerJson.expect(decoder, "type", "ByteLevel");
    List<Words> words = words(root);
    boolean composes = words == PreTokenizer.BY_QWEN2;
    if (composes) {
      JsonObject nfc = root.object("normalizer").orElseThrow(() -> missing(root, "normalizer"));
      TokenizerJson.expect(nfc, "type", "NFC");
    } else {
      TokenizerJson.absent(root, "normalizer");
    }
    return name(model, words, composes);
  }

  /// Files of Llama 3 from before there was `ignore_merges` mean it.
  private static String name(JsonObject model, List<Words> words, boolean composes) {
    boolean ignores = model.bool("ignore_merges").orElse(false);
    boolean says = words != PreTokenizer.BY_LLAMA3 || model.has("ignore_merges");
    Optional<PreTokenizer> pre =
        says ? PreTokenizer.of(words, composes, ignores) : Optional.empty();
    if (pre.isEmpty()) {
      String other = PreTokenizer.of(words, composes, !ignores).orElseThrow().names().getFirst();
      throw model.fail(
          "ignore_merges", model.shown("ignore_merges"), !ignores + ", as " + other + " has it");
    }
    return pre.get().names().getFirst();
  }

  /// Two steps: words, and bytes.
  private static List<Words> words(JsonObject root) {
    JsonObject words =
        root.object("pre_tokenizer").orElseThrow(() -> missing(root, "pre_tokenizer"));
    TokenizerJson.expect(words, "type", "Sequence");
    List<JsonObject> steps = words.objects("pretokenizers").orElse(List.of());
    if (steps.size() != 2) {
      throw words.fail(
          "pretokenizers", steps.size() + " steps", "Split and ByteLevel, or Digits and ByteLevel");
    }
    JsonObject split = steps.get(0);
    JsonObject bytes = steps.get(1);
    TokenizerJson.expect(bytes, "type", "ByteLevel");
    requireFlag(bytes, "add_prefix_space", false);
    if (split.string("type").equals(Optional.of("Digits"))) {
      requireFlag(split, "individual_digits", true);
      requireFlag(bytes, "use_regex", true); // GPT-2's
      return PreTokenizer.BY_DIGITS_GPT2;
    }
    TokenizerJson.expect(split, "type", "Split");
    // The expressions leave nothing between their matches, so that these two are the same.
    boolean inverted = split.string("behavior").equals(Optional.of("Removed"));
    if (!inverted) {
      TokenizerJson.expect(split, "behavior", "Isolated");
    }
    requireFlag(split, "invert", inverted);
    requireFlag(bytes, "use_regex", false);
    JsonObject pattern = split.object("pattern").orElseThrow(() -> missing(split, "pattern"));
    List<Words> known = BY_EXPRESSION.get(pattern.string("Regex").orElse(""));
    if (known == null) {
      throw pattern.fail(
          "Regex",
          pattern.shown("Regex"),
          "the regular expression of Llama 3, Qwen2, Tekken or GPT-4o");
    }
    return known;
  }

  private static void requireFlag(JsonObject json, String key, boolean expected) {
    if (json.bool(key).orElse(!expected) != expected) {
      throw json.fail(key, json.shown(key), Boolean.toString(expected));
    }
  }

  private static RuntimeException missing(JsonObject json, String key) {
    return json.fail(key, "absent", "it in a tokenizer.json of byte-level BPE");
  }
}

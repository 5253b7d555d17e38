package dev.quern.measure.synthetic;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/// A byte-level BPE vocabulary laid out as Llama 3's: the 256 bytes in GPT-2's spelling
/// (`bytes_to_unicode` of OpenAI's `encoder.py`), the merged tokens in the order of their merges,
/// the 256 special tokens. Merged are runs of spaces, pairs of letters and of digits, two-byte
/// characters, and then at random what was merged before. Text costs more tokens than with Meta's
/// vocabulary, but the tokenizer's work is of the same kind, and no licence is touched.
///
/// The same size gives the same vocabulary, so prompts cost the same tokens in every file.
final class GeneratedVocabulary {
  static final int BYTES = 256;
  static final int SPECIALS = 256;

  private static final int NORMAL = 1; // llama_token_type of llama.h
  private static final int CONTROL = 3;
  private static final int LONGEST = 12; // characters of a merged token
  private static final String LETTERS = "abcdefghijklmnopqrstuvwxyz";

  private final int size;
  private final List<String> tokens = new ArrayList<>(); // by id
  private final List<String> merges = new ArrayList<>(); // "left right", the best first
  private final Set<String> known = new HashSet<>();

  private GeneratedVocabulary(int size) {
    this.size = size;
  }

  /// @param size tokens, at least 512
  static GeneratedVocabulary ofSize(int size) {
    GeneratedVocabulary vocabulary = new GeneratedVocabulary(size);
    vocabulary.addBytes();
    vocabulary.mergeCommonPairs();
    vocabulary.mergeAtRandom();
    vocabulary.tokens.addAll(specials());
    return vocabulary;
  }

  List<String> tokens() {
    return tokens;
  }

  List<String> merges() {
    return merges;
  }

  /// [size], a `llama_token_type` for each token.
  int[] types() {
    return IntStream.range(0, size).map(id -> id < size - SPECIALS ? NORMAL : CONTROL).toArray();
  }

  /// The id of a special token.
  int special(String text) {
    return tokens.lastIndexOf(text);
  }

  private void addBytes() {
    List<String> unprintable = new ArrayList<>(); // they take the characters from U+0100 on
    for (int b = 0; b < BYTES; b++) {
      if (printable(b)) {
        tokens.add(Character.toString(b));
      } else {
        unprintable.add(Character.toString(256 + unprintable.size()));
      }
    }
    tokens.addAll(unprintable);
    known.addAll(tokens);
  }

  private static boolean printable(int b) {
    return b >= '!' && b <= '~' || b >= 0xa1 && b <= 0xac || b >= 0xae;
  }

  /// How a vocabulary spells a byte that is not printable: the n-th of them is U+0100 + n.
  private static String spelling(int b) {
    int before = (int) IntStream.range(0, b).filter(i -> !printable(i)).count();
    return Character.toString(printable(b) ? b : 256 + before);
  }

  private void mergeCommonPairs() {
    String space = spelling(' ');
    String newline = spelling('\n');
    for (int run = 1; run <= 8; run *= 2) {
      merge(space.repeat(run), space.repeat(run));
    }
    merge(newline, newline);
    for (char c : LETTERS.toCharArray()) {
      merge(space, Character.toString(c));
      merge(space, Character.toString(Character.toUpperCase(c)));
    }
    for (int b = 0x80; b < 0xc0; b++) { // Latin letters with accents in UTF-8
      merge(spelling(0xc3), spelling(b));
    }
    for (char a = '0'; a <= '9'; a++) {
      for (char b = '0'; b <= '9'; b++) {
        merge(Character.toString(a), Character.toString(b));
      }
    }
    for (char a : LETTERS.toCharArray()) {
      for (char b : LETTERS.toCharArray()) {
        merge(Character.toString(a), Character.toString(b));
      }
    }
  }

  /// Joins a beginning of a word and a continuation, early tokens more often than late ones, until
  /// the vocabulary is full.
  private void mergeAtRandom() {
    List<String> beginnings =
        new ArrayList<>(tokens.stream().filter(t -> isWord(t, true)).toList());
    List<String> continuations =
        new ArrayList<>(tokens.stream().filter(t -> isWord(t, false)).toList());
    SplittableRandom random = new SplittableRandom(3);
    while (tokens.size() < size - SPECIALS) {
      String left = beginnings.get(early(random, beginnings.size()));
      String right = continuations.get(early(random, continuations.size()));
      String joined = left + right;
      if (joined.length() <= LONGEST && merge(left, right)) {
        beginnings.add(joined);
        if (isWord(joined, false)) {
          continuations.add(joined);
        }
      }
    }
  }

  private static int early(SplittableRandom random, int bound) {
    double u = random.nextDouble();
    return (int) (bound * u * u);
  }

  private static boolean isWord(String token, boolean maySpace) {
    String letters = maySpace && token.startsWith(spelling(' ')) ? token.substring(1) : token;
    return !letters.isEmpty()
        && letters.chars().allMatch(c -> c >= 'a' && c <= 'z' || maySpace && c >= 'A' && c <= 'Z');
  }

  private boolean merge(String left, String right) {
    if (tokens.size() == size - SPECIALS || !known.add(left + right)) {
      return false;
    }
    tokens.add(left + right);
    merges.add(left + " " + right);
    return true;
  }

  /// The special tokens of Llama 3.1 and 3.2, by rising id (`tokenizer.py` of llama-models).
  private static List<String> specials() {
    List<String> named =
        List.of(
            "<|begin_of_text|>",
            "<|end_of_text|>",
            "<|reserved_special_token_0|>",
            "<|reserved_special_token_1|>",
            "<|finetune_right_pad_id|>",
            "<|reserved_special_token_2|>",
            "<|start_header_id|>",
            "<|end_header_id|>",
            "<|eom_id|>",
            "<|eot_id|>",
            "<|python_tag|>");
    List<String> all = new ArrayList<>(named);
    for (int reserved = 3; all.size() < SPECIALS; reserved++) {
      all.add(String.format(Locale.ROOT, "<|reserved_special_token_%d|>", reserved));
    }
    return all;
  }
}

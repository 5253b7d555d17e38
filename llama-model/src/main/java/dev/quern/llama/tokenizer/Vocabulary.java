package dev.quern.llama.tokenizer;

import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.IntStream;

/// The tokens of a model: texts, types, and those with a role. Checked when built, then immutable.
final class Vocabulary {
  private static final String SENTENCE_END = "</s>";

  /// Texts that end a generation wherever a vocabulary has them, whatever its metadata says: the
  /// part of llama.cpp's list that Llama models and their fine-tunes use.
  static final List<String> END_OF_GENERATION =
      List.of(
          "<|eot_id|>",
          "<|eom_id|>",
          "<|end_of_text|>",
          "<|endoftext|>",
          "<|im_end|>",
          "<|end|>",
          "<end_of_turn>",
          SENTENCE_END);

  /// What merges of ordinary text may make that of, as Qwen2's do.
  private static final List<String> SENTENCE_END_MERGES = List.of("</s >", "</ s>", "< /s>");

  /// Texts that are control tokens even where a file calls them something else, since ordinary text
  /// that could spell them would forge a turn. (llama.cpp overrides types in the same way.)
  private static final List<String> CONTROL =
      List.of("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|im_start|>");

  private final TokenTable table;
  private final TokenType[] types; // [vocabularySize]
  private final OptionalInt bos;
  private final OptionalInt eos;
  private final OptionalInt eot;
  private final OptionalInt unknown;
  private final BitSet endOfGeneration = new BitSet();
  private final BitSet stripsRight = new BitSet();
  private final int[] specials; // control, unknown, user-defined; longest text first

  Vocabulary(Definition definition) {
    int size = definition.tokens().size();
    if (size == 0) {
      throw new TokenizerException(
          String.format(
              Locale.ROOT, "%s is missing or empty, expected the model's vocabulary", Keys.TOKENS));
    }
    int[] numbers = definition.types();
    if (numbers.length != size) {
      throw new TokenizerException(
          String.format(
              Locale.ROOT,
              "%s has %d entries, expected %d as in %s",
              Keys.TYPES,
              numbers.length,
              size,
              Keys.TOKENS));
    }
    table = new TokenTable(definition.tokens());
    types = new TokenType[size];
    for (int id = 0; id < size; id++) {
      types[id] = TokenType.of(numbers[id], id);
    }
    Definition.Ids ids = definition.ids();
    bos = checked(Keys.BOS, ids.bos());
    eos = checked(Keys.EOS, ids.eos());
    OptionalInt namedEot = checked(Keys.EOT, ids.eot());
    eot = namedEot.isPresent() ? namedEot : id("<|eot_id|>");
    OptionalInt namedUnknown = checked(Keys.UNKNOWN, ids.unknown());
    unknown = namedUnknown.isPresent() ? namedUnknown : first(TokenType.UNKNOWN);
    boolean isText =
        definition.merges().stream().anyMatch(SENTENCE_END_MERGES::contains) || isGemmas();
    for (String text : END_OF_GENERATION) {
      if (!isText || !text.equals(SENTENCE_END)) {
        id(text).ifPresent(endOfGeneration::set);
      }
    }
    eos.ifPresent(endOfGeneration::set);
    eot.ifPresent(endOfGeneration::set);
    checked(Keys.EOM, ids.eom()).ifPresent(endOfGeneration::set);
    ids.ends()
        .forEach(id -> checked(Keys.EOS, OptionalLong.of(id)).ifPresent(endOfGeneration::set));
    ids.stripsRight()
        .forEach(id -> checked(Keys.STRIPS_RIGHT, OptionalLong.of(id)).ifPresent(stripsRight::set));
    endOfGeneration.stream().forEach(id -> types[id] = TokenType.CONTROL);
    bos.ifPresent(id -> types[id] = TokenType.CONTROL);
    for (String text : CONTROL) {
      id(text).ifPresent(id -> types[id] = TokenType.CONTROL);
    }
    specials =
        IntStream.range(0, size)
            .filter(id -> types[id].isHidden() || types[id] == TokenType.USER_DEFINED)
            .boxed()
            .sorted(Comparator.comparingInt(id -> -table.length(id)))
            .mapToInt(id -> id)
            .toArray();
  }

  /// Whether `</s>` is the end of a struck-out text: a user-defined token where `<s>` begins
  /// nothing.
  private boolean isGemmas() {
    OptionalInt id = id(SENTENCE_END);
    return id.isPresent()
        && types[id.getAsInt()] == TokenType.USER_DEFINED
        && eos.isPresent()
        && eos.getAsInt() != id.getAsInt()
        && bos.isPresent()
        && !text(bos.getAsInt()).equals("<s>");
  }

  int size() {
    return types.length;
  }

  String text(int id) {
    return table.text(id);
  }

  TokenType type(int id) {
    return types[id];
  }

  /// The token with that text, of any type.
  OptionalInt id(String text) {
    int id = table.find(text);
    return id == TokenTable.ABSENT ? OptionalInt.empty() : OptionalInt.of(id);
  }

  /// The token with the text `chars[from, to)`, of any type, or [TokenTable#ABSENT].
  int id(char[] chars, int from, int to) {
    return table.find(chars, from, to);
  }

  /// The token that ordinary text `chars[from, to)` may become, or [TokenTable#ABSENT].
  int findText(char[] chars, int from, int to) {
    int id = table.find(chars, from, to);
    return id == TokenTable.ABSENT || types[id].isText() ? id : TokenTable.ABSENT;
  }

  /// Characters of the longest token.
  int longestText() {
    return table.longest();
  }

  OptionalInt bos() {
    return bos;
  }

  OptionalInt eos() {
    return eos;
  }

  OptionalInt eot() {
    return eot;
  }

  OptionalInt unknown() {
    return unknown;
  }

  boolean isEndOfGeneration(int id) {
    return endOfGeneration.get(id);
  }

  Set<Integer> endOfGeneration() {
    return Set.of(endOfGeneration.stream().boxed().toArray(Integer[]::new));
  }

  /// Where the text goes on behind a token that was found in it and ends at `from`: behind the
  /// white space (of ASCII, as llama.cpp has it) that the token takes along.
  int textFrom(int id, CharSequence text, int from) {
    int begin = from;
    while (stripsRight.get(id) && begin < text.length() && isAsciiSpace(text.charAt(begin))) {
      begin++;
    }
    return begin;
  }

  private static boolean isAsciiSpace(char c) {
    return c == ' ' || c >= '\t' && c <= '\r';
  }

  /// Tokens that are found in text as a whole, longest text first: the user-defined ones and, if
  /// asked for, control and unknown tokens.
  int[] specials(boolean parseSpecial) {
    return parseSpecial
        ? specials.clone()
        : Arrays.stream(specials).filter(id -> !types[id].isHidden()).toArray();
  }

  private OptionalInt first(TokenType type) {
    return IntStream.range(0, types.length).filter(id -> types[id] == type).findFirst();
  }

  private OptionalInt checked(String key, OptionalLong id) {
    if (id.isEmpty()) {
      return OptionalInt.empty();
    }
    if (id.getAsLong() < 0 || id.getAsLong() >= types.length) {
      throw new TokenizerException(
          String.format(
              Locale.ROOT,
              "%s = %d, expected 0 .. %d, the ids of %s",
              key,
              id.getAsLong(),
              types.length - 1,
              Keys.TOKENS));
    }
    return OptionalInt.of((int) id.getAsLong());
  }
}

package dev.quern.llama.tokenizer;

import dev.quern.llama.gguf.GgufMetadata;
import dev.quern.llama.gguf.GgufWriter;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/// What a model file says about its tokenizer, unchecked. Lists and arrays are empty where their
/// key is absent; every component is named like its key in [Keys].
///
/// @param tokens [vocabularySize]
/// @param types [vocabularySize], see [TokenType]
/// @param scores [vocabularySize] for `llama`, unused for `gpt2`
/// @param merges [merges] for `gpt2`, unused for `llama`
record Definition(
    Optional<String> model,
    Optional<String> pre,
    List<String> tokens,
    int[] types,
    float[] scores,
    List<String> merges,
    Ids ids,
    Flags flags) {

  private static final int UNUSED = 5; // see TokenType
  private static final Set<String> PHI3_KEEPS = Set.of("<unk>", "<s>", "<|endoftext|>");

  /// Ids of tokens with a role.
  ///
  /// @param ends further tokens that end a generation
  /// @param stripsRight those that take the white space behind them along
  record Ids(
      OptionalLong bos,
      OptionalLong eos,
      OptionalLong eot,
      OptionalLong eom,
      OptionalLong unknown,
      List<Long> ends,
      List<Long> stripsRight) {}

  /// How text is framed.
  record Flags(
      Optional<Boolean> addBos, Optional<Boolean> addEos, Optional<SpacePrefix> spacePrefix) {}

  static Definition of(GgufMetadata metadata) {
    return new Definition(
        metadata.string(Keys.MODEL),
        metadata.string(Keys.PRE),
        metadata.strings(Keys.TOKENS),
        metadata.ints(Keys.TYPES),
        metadata.floats(Keys.SCORES),
        metadata.strings(Keys.MERGES),
        new Ids(
            metadata.integer(Keys.BOS),
            metadata.integer(Keys.EOS),
            metadata.integer(Keys.EOT),
            metadata.integer(Keys.EOM),
            metadata.integer(Keys.UNKNOWN),
            List.of(),
            stripsRight(metadata)),
        new Flags(
            metadata.bool(Keys.ADD_BOS),
            metadata.bool(Keys.ADD_EOS),
            SpacePrefix.of(
                metadata.bool(Keys.ADD_SPACE_PREFIX), metadata.string(Keys.SPACE_PREFIX))));
  }

  /// GGUF has no key for it. As llama.cpp, by the model's name: all special tokens of Phi-3 but the
  /// first ones of Llama 2's vocabulary and the one that ends a text.
  private static List<Long> stripsRight(GgufMetadata metadata) {
    String name = metadata.stringForPeople("general.name").orElse("").toLowerCase(Locale.ROOT);
    List<Long> ids = new ArrayList<>();
    if (!name.contains("phi-3") && !name.contains("phi3")) {
      for (int id : metadata.ints(Keys.STRIPS_RIGHT)) {
        ids.add((long) id);
      }
      return ids;
    }
    List<String> tokens = metadata.strings(Keys.TOKENS);
    int[] types = metadata.ints(Keys.TYPES);
    for (int id = 0; id < tokens.size(); id++) {
      boolean special = id < types.length && types[id] >= 2 && types[id] <= 4;
      if (special && !PHI3_KEEPS.contains(tokens.get(id)) || tokens.get(id).equals("</s>")) {
        ids.add((long) id);
      }
    }
    return ids;
  }

  /// With another pre-tokenizer, if one is given.
  ///
  /// @throws TokenizerException where the vocabulary is of a kind that has none
  Definition withPre(Optional<String> other) {
    if (other.isPresent() && !model.equals(Optional.of("gpt2"))) {
      throw new TokenizerException(
          String.format(
              Locale.ROOT,
              "a pre-tokenizer (%s) for a vocabulary of the kind %s, expected none: that is for gpt2",
              TokenizerException.quote(other.get()),
              model.map(TokenizerException::quote).orElse("none")));
    }
    return new Definition(model, other.or(() -> pre), tokens, types, scores, merges, ids, flags);
  }

  /// With unused tokens for the rows of the embedding matrix that the vocabulary has no texts for,
  /// named as llama.cpp's converter names them.
  ///
  /// @param vocabulary rows of the embedding matrix; 0 where that is not known
  Definition padded(int vocabulary) {
    int missing = vocabulary - tokens.size();
    if (tokens.isEmpty() || missing <= 0) {
      return this;
    }
    List<String> named = new ArrayList<>(tokens);
    for (int id = tokens.size(); id < vocabulary; id++) {
      named.add("[PAD" + id + "]");
    }
    int[] numbers = Arrays.copyOf(types, types.length == 0 ? 0 : types.length + missing);
    Arrays.fill(numbers, types.length, numbers.length, UNUSED);
    float[] all = Arrays.copyOf(scores, scores.length == 0 ? 0 : scores.length + missing);
    return new Definition(model, pre, named, numbers, all, merges, ids, flags);
  }

  /// What may be left out or left empty, as llama.cpp completes it: tokens are normal where no type
  /// is given (or the type 0), and an empty text is named.
  Definition completed() {
    List<String> named = new ArrayList<>(tokens);
    for (int id = 0; id < named.size(); id++) {
      if (named.get(id).isEmpty()) {
        named.set(id, "[EMPTY_" + id + "]");
      }
    }
    int[] numbers = types.length == 0 ? new int[named.size()] : types.clone();
    for (int id = 0; id < numbers.length; id++) {
      numbers[id] = numbers[id] == 0 ? 1 : numbers[id];
    }
    return new Definition(model, pre, named, numbers, scores, merges, ids, flags);
  }

  /// [#completed], with what is SentencePiece's own: ids, scores of 0, and the types of bytes and
  /// of the unknown token, which their texts and ids tell.
  Definition asSentencePiece() {
    Definition d = completed();
    int size = d.tokens.size();
    Ids own =
        new Ids(
            or(ids.bos(), 1, size),
            or(ids.eos(), 2, size),
            ids.eot(),
            ids.eom(),
            types.length == 0 ? or(ids.unknown(), 0, size) : ids.unknown(),
            ids.ends(),
            ids.stripsRight());
    if (types.length == 0) {
      for (int id = 0; id < size; id++) {
        d.types[id] = isByte(d.tokens.get(id)) ? 6 : d.types[id];
      }
      own.unknown().stream()
          .filter(id -> id >= 0 && id < size)
          .forEach(id -> d.types[(int) id] = 2);
    }
    float[] all = scores.length == 0 ? new float[size] : scores;
    return new Definition(model, pre, d.tokens, d.types, all, merges, own, flags);
  }

  /// Whether a text is that of a byte token of SentencePiece.
  static boolean isByte(String text) {
    return text.length() == 6 && text.matches("<0x[0-9A-Fa-f]{2}>");
  }

  private static OptionalLong or(OptionalLong id, int standard, int size) {
    return id.isPresent() || standard >= size ? id : OptionalLong.of(standard);
  }

  /// Writes what [#of] reads.
  ///
  /// GGUF has keys for three tokens that end a generation, and none for a list. Those that are
  /// known by their texts need no key; the others take the keys that are free.
  ///
  /// @throws TokenizerException where the keys don't suffice
  void writeTo(GgufWriter writer) {
    model.ifPresent(value -> writer.string(Keys.MODEL, value));
    pre.ifPresent(value -> writer.string(Keys.PRE, value));
    writer.strings(Keys.TOKENS, tokens).ints(Keys.TYPES, types);
    if (scores.length > 0) {
      writer.floats(Keys.SCORES, scores);
    }
    if (!merges.isEmpty()) {
      writer.strings(Keys.MERGES, merges);
    }
    Deque<Long> ends = new ArrayDeque<>(ids.ends().stream().distinct().toList());
    // llama.cpp takes id 11 for the end of a text where nothing is said.
    OptionalLong eos = orNext(ids.eos(), ends);
    ends.removeIf(id -> Vocabulary.END_OF_GENERATION.contains(tokens.get(Math.toIntExact(id))));
    eos.ifPresent(ends::remove);
    OptionalLong eot = orNext(or(ids.eot(), "<|eot_id|>"), ends);
    OptionalLong eom = orNext(or(ids.eom(), "<|eom_id|>"), ends);
    if (!ends.isEmpty()) {
      throw new TokenizerException(
          String.format(
              Locale.ROOT,
              "%s: %d tokens, %s among them, end a generation beyond the three that GGUF has keys for, expected fewer: shorten eos_token_id in generation_config.json",
              Keys.EOS,
              ends.size(),
              ends.peek()));
    }
    id(writer, Keys.BOS, ids.bos());
    id(writer, Keys.EOS, eos);
    id(writer, Keys.EOT, eot);
    id(writer, Keys.EOM, eom);
    id(writer, Keys.UNKNOWN, ids.unknown());
    flag(writer, Keys.ADD_BOS, flags.addBos());
    flag(writer, Keys.ADD_EOS, flags.addEos());
    flag(writer, Keys.ADD_SPACE_PREFIX, flags.spacePrefix().map(p -> p != SpacePrefix.NEVER));
    flags
        .spacePrefix()
        .flatMap(SpacePrefix::own)
        .ifPresent(own -> writer.string(Keys.SPACE_PREFIX, own));
    if (!ids.stripsRight().isEmpty()) {
      writer.ints(
          Keys.STRIPS_RIGHT, ids.stripsRight().stream().mapToInt(Math::toIntExact).toArray());
    }
  }

  private OptionalLong or(OptionalLong id, String text) {
    int known = id.isPresent() ? -1 : tokens.indexOf(text);
    return known < 0 ? id : OptionalLong.of(known);
  }

  private static OptionalLong orNext(OptionalLong id, Deque<Long> others) {
    return id.isPresent() || others.isEmpty() ? id : OptionalLong.of(others.remove());
  }

  private static void id(GgufWriter writer, String key, OptionalLong id) {
    id.ifPresent(value -> writer.uint32(key, value));
  }

  private static void flag(GgufWriter writer, String key, Optional<Boolean> flag) {
    flag.ifPresent(value -> writer.bool(key, value));
  }
}

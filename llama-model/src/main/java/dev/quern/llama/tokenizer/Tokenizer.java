package dev.quern.llama.tokenizer;

import dev.quern.llama.gguf.GgufMetadata;
import java.nio.charset.StandardCharsets;
import java.util.BitSet;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/// Text to token ids and back, as the model's metadata defines it: SentencePiece BPE
/// (`tokenizer.ggml.model = llama`) or byte-level BPE (`gpt2`, whose `tokenizer.ggml.pre` is
/// known). Ids agree with llama.cpp's, but where it departs from what models were trained with:
/// text that Qwen2 composes, words of Tekken and GPT-4o with letters or marks beyond ASCII.
/// Immutable and thread-safe.
///
/// Ordinary text never becomes a control token: that takes `parseSpecial`, or the id itself.
/// Unpaired surrogates are read as U+FFFD, since no UTF-8 spells them. Apart from them, byte-level
/// BPE returns every text unchanged, `decode(encode(text, false))` equals `text`; SentencePiece
/// does so if the vocabulary has all byte tokens and the text has no U+2581, its spelling of the
/// space, which decodes as a space; a space that begins the text is lost where the vocabulary puts
/// one only if there is none (Mistral's `tokenizer.json`).
///
/// @since 0.1
/// @stability api
public final class Tokenizer {
  private final Vocabulary vocabulary;
  private final TextEncoder encoder;
  private final boolean addBos;
  private final boolean addEos;
  private final SpecialSplitter specials; // found if parseSpecial
  private final SpecialSplitter userDefined; // found always

  /// The tokenizer that a model file describes. Everything is read at once: the file may be closed
  /// afterwards.
  ///
  /// @throws TokenizerException where the metadata lacks a key, contradicts itself, or asks for a
  ///   tokenizer of another kind
  /// @throws dev.quern.llama.gguf.GgufException where a key has a value of another type
  public static Tokenizer from(GgufMetadata metadata) {
    return from(metadata, Optional.empty());
  }

  /// As [#from(GgufMetadata)].
  ///
  /// @param preTokenizer in place of what `tokenizer.ggml.pre` says, such as `llama-bpe`
  public static Tokenizer from(GgufMetadata metadata, Optional<String> preTokenizer) {
    return from(metadata, preTokenizer, 0);
  }

  /// As [#from(GgufMetadata, Optional)].
  ///
  /// @param vocabulary rows of the embedding matrix: ids that the vocabulary lacks become unused
  ///   tokens; 0 where that is not known
  public static Tokenizer from(
      GgufMetadata metadata, Optional<String> preTokenizer, int vocabulary) {
    return new Tokenizer(Definition.of(metadata).padded(vocabulary).withPre(preTokenizer));
  }

  /// @throws TokenizerException where the definition is unusable
  Tokenizer(Definition definition) {
    String model =
        definition
            .model()
            .orElseThrow(() ->
                new TokenizerException(
                    String.format(
                        Locale.ROOT,
                        "%s is missing, expected llama or gpt2; this file has no tokenizer",
                        Keys.MODEL)));
    Definition resolved =
        switch (model) {
          case "llama" -> definition.asSentencePiece();
          case "gpt2" -> definition.completed();
          default ->
              throw new TokenizerException(
                  String.format(
                      Locale.ROOT,
                      "%s = %s, expected llama or gpt2",
                      Keys.MODEL,
                      TokenizerException.quote(model)));
        };
    Optional<PreTokenizer> pre =
        model.equals("gpt2")
            ? Optional.of(PreTokenizer.byName(definition.pre()))
            : Optional.empty();
    vocabulary = new Vocabulary(resolved);
    encoder =
        pre.isPresent()
            ? new BytePairEncoder(vocabulary, resolved.merges(), pre.get())
            : new SentencePieceEncoder(
                vocabulary,
                resolved.scores(),
                resolved.flags().spacePrefix().orElse(SpacePrefix.EACH));
    addBos = resolved.flags().addBos().orElse(pre.map(PreTokenizer::addsBos).orElse(true));
    addEos = resolved.flags().addEos().orElse(false);
    require(addBos, vocabulary.bos(), Keys.ADD_BOS, Keys.BOS);
    require(addEos, vocabulary.eos(), Keys.ADD_EOS, Keys.EOS);
    specials = new SpecialSplitter(vocabulary.specials(true), vocabulary);
    userDefined = new SpecialSplitter(vocabulary.specials(false), vocabulary);
  }

  /// The tokens of a text, without BOS and EOS.
  ///
  /// @param parseSpecial whether the text of a control token becomes that token (for prompts that
  ///   the application wrote), or is text like any other (for what comes from users). User-defined
  ///   tokens are found in both cases
  public int[] encode(String text, boolean parseSpecial) {
    return encode(text, parseSpecial, TextEncoder.Place.START);
  }

  /// The tokens of a text that goes on behind a token: those of [#encode(String, boolean)], but
  /// SentencePiece's space before the first word is put only where it would be in one text: behind
  /// a control or user-defined token. So a text may be continued within a word.
  ///
  /// @param last the token that the text goes on behind
  public int[] encodeBehind(int last, String text, boolean parseSpecial) {
    return encode(text, parseSpecial, behind(last));
  }

  private int[] encode(String text, boolean parseSpecial, TextEncoder.Place begin) {
    IntBuffer out = new IntBuffer();
    String wellFormed = WellFormed.of(text);
    TextEncoder.Place place = begin;
    for (SpecialSplitter.Piece piece : (parseSpecial ? specials : userDefined).split(wellFormed)) {
      if (piece.isToken()) {
        out.add(piece.token());
      } else {
        encoder.encode(wellFormed.substring(piece.from(), piece.to()), place, out);
      }
      place = behind(piece);
    }
    return out.toArray();
  }

  /// The tokens of a text that an application and its users wrote together, from a place on:
  /// special tokens are found in what the application wrote alone. User-defined ones are found
  /// anywhere, as ever, but for those that the application frames the others' parts with.
  ///
  /// @param given the users' characters
  /// @param from where the text begins that has no tokens yet
  /// @param last the token that it goes on behind; empty at a text's start
  int[] encode(String text, BitSet given, int from, OptionalInt last) {
    IntBuffer out = new IntBuffer();
    String wellFormed = WellFormed.of(text);
    BitSet frame = new BitSet();
    specials.split(wellFormed, given).stream()
        .filter(piece -> piece.isToken() && !vocabulary.text(piece.token()).isBlank())
        .forEach(piece -> frame.set(piece.token()));
    String rest = wellFormed.substring(from);
    TextEncoder.Place place = last.isPresent() ? behind(last.getAsInt()) : TextEncoder.Place.START;
    for (SpecialSplitter.Piece piece : specials.split(rest, given.get(from, text.length()))) {
      if (piece.isToken()) {
        out.add(piece.token());
      } else {
        encode(rest.substring(piece.from(), piece.to()), frame, place, out);
      }
      place = behind(piece);
    }
    return out.toArray();
  }

  private TextEncoder.Place behind(int token) {
    return isSpecial(vocabulary.type(checked(token)))
        ? TextEncoder.Place.BEHIND_SPECIAL
        : TextEncoder.Place.WITHIN;
  }

  private static boolean isSpecial(TokenType type) {
    return type == TokenType.CONTROL || type == TokenType.USER_DEFINED;
  }

  /// Whether a text is found as a token of its own, and never made of ordinary text.
  boolean isSpecial(String text) {
    OptionalInt id = vocabulary.id(text);
    return id.isPresent() && isSpecial(vocabulary.type(id.getAsInt()));
  }

  private static TextEncoder.Place behind(SpecialSplitter.Piece piece) {
    return piece.isToken() ? TextEncoder.Place.BEHIND_SPECIAL : TextEncoder.Place.WITHIN;
  }

  /// @param frame user-defined tokens that are text here
  private void encode(String text, BitSet frame, TextEncoder.Place begin, IntBuffer out) {
    TextEncoder.Place place = begin;
    int from = 0;
    for (SpecialSplitter.Piece piece : userDefined.split(text)) {
      if (piece.isToken() && !frame.get(piece.token())) {
        if (from < piece.from()) {
          encoder.encode(text.substring(from, piece.from()), place, out);
        }
        out.add(piece.token());
        from = vocabulary.textFrom(piece.token(), text, piece.to());
        place = TextEncoder.Place.BEHIND_SPECIAL;
      }
    }
    if (from < text.length()) {
      encoder.encode(text.substring(from), place, out);
    }
  }

  /// The tokens of a text that is to be continued: those of [#encode], behind BOS where the
  /// metadata asks for it, unless they begin with it; without EOS.
  public int[] encodeBeginning(String text, boolean parseSpecial) {
    return withBos(encode(text, parseSpecial));
  }

  /// Ids behind BOS, where the metadata asks for it, unless they begin with it.
  int[] withBos(int[] ids) {
    if (!addBos || ids.length > 0 && ids[0] == vocabulary.bos().getAsInt()) {
      return ids;
    }
    return IntBuffer.concat(new int[] {vocabulary.bos().getAsInt()}, ids);
  }

  /// The tokens of a whole prompt: those of [#encode], with BOS before and EOS behind where the
  /// metadata asks for them (`add_bos_token`, by default true; `add_eos_token`, by default false).
  /// A BOS that the text itself spells is not recognised as such: there are then two.
  public int[] encodePrompt(String text, boolean parseSpecial) {
    IntBuffer out = new IntBuffer();
    if (addBos) {
      out.add(vocabulary.bos().getAsInt());
    }
    out.addAll(encode(text, parseSpecial));
    if (addEos) {
      out.add(vocabulary.eos().getAsInt());
    }
    return out.toArray();
  }

  /// The text of the tokens, from the start of a text. Control and unknown tokens are left out.
  /// Bytes that are no UTF-8 become U+FFFD, as `new String(bytes, UTF_8)` has it.
  public String decode(int[] ids) {
    return decode(ids, false);
  }

  /// As [#decode(int\[\])], with the text of control and unknown tokens if `showSpecial`.
  public String decode(int[] ids, boolean showSpecial) {
    StreamingDecoder decoder = StreamingDecoder.atStart(this, showSpecial);
    StringBuilder text = new StringBuilder();
    for (int id : ids) {
      text.append(decoder.next(id));
    }
    return text.append(decoder.finish()).toString();
  }

  /// The bytes of a token: what it adds to a text or, for a special token, the UTF-8 of its name.
  /// They need not be whole characters.
  public byte[] bytes(int id) {
    return switch (vocabulary.type(checked(id))) {
      case CONTROL, UNKNOWN, USER_DEFINED -> vocabulary.text(id).getBytes(StandardCharsets.UTF_8);
      case NORMAL, UNUSED, BYTE -> encoder.bytes(id);
    };
  }

  /// The token's entry in the vocabulary, in the vocabulary's own spelling.
  public String text(int id) {
    return vocabulary.text(checked(id));
  }

  /// The token whose entry in the vocabulary is `text`, if there is one.
  public OptionalInt id(String text) {
    return vocabulary.id(text);
  }

  /// Tokens in the vocabulary; ids are `0 .. vocabularySize() - 1`.
  public int vocabularySize() {
    return vocabulary.size();
  }

  /// The token that begins a text, if the model has one.
  public OptionalInt bos() {
    return vocabulary.bos();
  }

  /// The token that ends a text, if the model has one.
  public OptionalInt eos() {
    return vocabulary.eos();
  }

  /// The token that ends a turn of a conversation, if the model has one.
  public OptionalInt eot() {
    return vocabulary.eot();
  }

  /// Whether [#encodePrompt] begins with [#bos].
  public boolean addsBos() {
    return addBos;
  }

  /// Whether [#encodePrompt] ends with [#eos].
  public boolean addsEos() {
    return addEos;
  }

  /// Whether the token is structure and not text.
  public boolean isControl(int id) {
    return vocabulary.type(checked(id)) == TokenType.CONTROL;
  }

  /// Whether generation is over when the model has chosen this token.
  public boolean isEndOfGeneration(int id) {
    return vocabulary.isEndOfGeneration(checked(id));
  }

  /// The tokens that end a generation: EOS, EOT, EOM, and those that are known by their texts, such
  /// as `<|eot_id|>`, `<|eom_id|>`, `<|end_of_text|>` and `</s>`.
  public Set<Integer> endOfGeneration() {
    return vocabulary.endOfGeneration();
  }

  /// Whether the token is left out of decoded text: control and unknown ones are.
  public boolean isHidden(int id) {
    return vocabulary.type(checked(id)).isHidden();
  }

  boolean isSentencePiece() {
    return encoder instanceof SentencePieceEncoder;
  }

  boolean addsSpacePrefix() {
    return encoder.addsSpacePrefix();
  }

  private int checked(int id) {
    if (id < 0 || id >= vocabulary.size()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT, "tokenizer: token id %d, expected 0 .. %d", id, vocabulary.size() - 1));
    }
    return id;
  }

  private static void require(boolean added, OptionalInt id, String flag, String key) {
    if (added && id.isEmpty()) {
      throw new TokenizerException(
          String.format(
              Locale.ROOT,
              "%s is true or absent, but %s is missing, expected its id or %s = false",
              flag,
              key,
              flag));
    }
  }
}

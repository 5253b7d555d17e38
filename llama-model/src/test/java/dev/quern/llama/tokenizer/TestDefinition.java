package dev.quern.llama.tokenizer;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;

/// A small definition that tests change before they build a tokenizer from it.
final class TestDefinition {
  static final int CONTROL = 3;
  static final int USER_DEFINED = 4;

  Optional<String> model;
  Optional<String> pre = Optional.empty();
  final List<String> tokens = new ArrayList<>();
  List<Integer> types = new ArrayList<>();
  List<Float> scores = new ArrayList<>();
  List<String> merges = new ArrayList<>();
  OptionalLong bos = OptionalLong.empty();
  OptionalLong eos = OptionalLong.empty();
  OptionalLong eot = OptionalLong.empty();
  OptionalLong eom = OptionalLong.empty();
  OptionalLong unknown = OptionalLong.empty();
  Optional<Boolean> addBos = Optional.empty();
  Optional<Boolean> addEos = Optional.empty();
  Optional<SpacePrefix> spacePrefix = Optional.empty();
  List<Long> stripsRight = List.of();

  /// Byte-level BPE: the 256 bytes, then what the merges make, then the Llama 3 markers.
  static TestDefinition bytePair(String... merges) {
    return bytePair(List.of(merges), List.of());
  }

  /// The same with tokens that no merge makes.
  static TestDefinition bytePair(List<String> merges, List<String> others) {
    TestDefinition d = new TestDefinition();
    d.model = Optional.of("gpt2");
    d.pre = Optional.of("llama-bpe");
    for (int b = 0; b < 256; b++) {
      d.add(String.valueOf(ByteAlphabet.charOf((byte) b)), 1);
    }
    for (String merge : merges) {
      d.merges.add(merge);
      String merged = merge.replace(" ", "");
      if (!d.tokens.contains(merged)) {
        d.add(merged, 1);
      }
    }
    for (String other : others) {
      if (!d.tokens.contains(other)) {
        d.add(other, 1);
      }
    }
    d.bos = OptionalLong.of(d.add("<|begin_of_text|>", CONTROL));
    d.eos = OptionalLong.of(d.add("<|end_of_text|>", CONTROL));
    d.add("<|start_header_id|>", CONTROL);
    d.add("<|end_header_id|>", CONTROL);
    d.add("<|eot_id|>", CONTROL);
    return d;
  }

  /// SentencePiece: `<unk> <s> </s>`, the byte tokens, then the pieces with falling scores.
  static TestDefinition sentencePiece(String... pieces) {
    TestDefinition d = new TestDefinition();
    d.model = Optional.of("llama");
    d.add("<unk>", 2);
    d.add("<s>", CONTROL);
    d.add("</s>", CONTROL);
    for (int b = 0; b < 256; b++) {
      d.add(String.format(Locale.ROOT, "<0x%02X>", b), 6);
    }
    for (String piece : pieces) {
      d.add(piece, 1);
    }
    return d;
  }

  /// Appends a token and returns its id.
  int add(String text, int type) {
    tokens.add(text);
    types.add(type);
    scores.add(-(float) tokens.size());
    return tokens.size() - 1;
  }

  Definition definition() {
    float[] scoreArray = new float[scores.size()];
    for (int i = 0; i < scoreArray.length; i++) {
      scoreArray[i] = scores.get(i);
    }
    return new Definition(
        model,
        pre,
        tokens,
        types.stream().mapToInt(Integer::intValue).toArray(),
        scoreArray,
        merges,
        new Definition.Ids(bos, eos, eot, eom, unknown, List.of(), stripsRight),
        new Definition.Flags(addBos, addEos, spacePrefix));
  }

  Tokenizer tokenizer() {
    return new Tokenizer(definition());
  }
}

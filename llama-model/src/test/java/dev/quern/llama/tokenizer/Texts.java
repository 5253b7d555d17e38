package dev.quern.llama.tokenizer;

import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Tuple;

/// Texts that lean towards what tokenizers get wrong.
final class Texts {
  private static final String EDGY =
      "abcsStTrReEvVmMlLdDzé'’  \t\n\r\u000b\u001c\u0085\u00a0\u1680\u180e\u2003\u2028\u3000"
          + "\u2581\ufeff\u200b0123456789½Ⅷ٣.,!?<|>_-あ漢한क\u0301\u017f\u212a\ufffd\u0378\u0000";

  private Texts() {}

  /// Well-formed texts.
  static Arbitrary<String> wellFormed() {
    Arbitrary<String> edgy = Arbitraries.of(EDGY.split("")).map(s -> s);
    Arbitrary<String> any =
        Arbitraries.integers()
            .between(0, Character.MAX_CODE_POINT)
            .filter(c -> c < Character.MIN_SURROGATE || c > Character.MAX_SURROGATE)
            .map(Character::toString);
    Arbitrary<String> astral = Arbitraries.of("😀", "𝕏", "𐒠", "𝟘", "\ud83d\udc68\u200d");
    Arbitrary<String> character =
        Arbitraries.frequencyOf(Tuple.of(8, edgy), Tuple.of(2, any), Tuple.of(1, astral));
    return character.list().ofMaxSize(40).map(parts -> String.join("", parts));
  }

  /// Any chars at all, unpaired surrogates among them.
  static Arbitrary<String> any() {
    Arbitrary<String> surrogate =
        Arbitraries.chars().range('\ud800', '\udfff').map(String::valueOf);
    return Arbitraries.frequencyOf(Tuple.of(3, wellFormed()), Tuple.of(1, surrogate))
        .list()
        .ofMaxSize(6)
        .map(parts -> String.join("", parts));
  }
}

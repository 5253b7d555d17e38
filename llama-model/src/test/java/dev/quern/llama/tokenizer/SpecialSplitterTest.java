package dev.quern.llama.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/// Special tokens in text, against the plain way: one after the other, each looked for in all that
/// is left.
class SpecialSplitterTest {
  @Test
  void equalsThePlainWay() {
    long seed = 20261130;
    Random random = new Random(seed);
    for (int n = 0; n < 3000; n++) {
      TestDefinition d = TestDefinition.bytePair();
      for (int i = random.nextInt(12); i > 0; i--) {
        String text = word(random, 1 + random.nextInt(5)) + word(random, 1);
        if (!d.tokens.contains(text)) {
          d.add(text, random.nextBoolean() ? TestDefinition.CONTROL : TestDefinition.USER_DEFINED);
        }
      }
      Vocabulary vocabulary = new Vocabulary(d.definition());
      String text = word(random, random.nextInt(40));
      int[] specials = vocabulary.specials(random.nextBoolean());
      assertEquals(
          plain(text, specials, vocabulary),
          new SpecialSplitter(specials, vocabulary).split(text),
          "seed " + seed + ", " + n);
    }
  }

  /// Many special tokens and a long text: a step for each length, not for each token.
  @Test
  void tensOfThousandsOfSpecials() {
    TestDefinition d = TestDefinition.bytePair("q z");
    for (int i = 0; i < 50_000; i++) {
      d.add("<x" + (100_000 + i) + ">", TestDefinition.CONTROL);
    }
    Tokenizer tokenizer = d.tokenizer();
    String text = "<x100000> <x149999><x150000>".repeat(5000);
    assertEquals(5000 * (1 + 1 + 1 + "<x150000>".length()), tokenizer.encode(text, true).length);
  }

  private static String word(Random random, int length) {
    return random
        .ints(length, 'a', 'd')
        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
        .toString();
  }

  private static List<SpecialSplitter.Piece> plain(
      String text, int[] specials, Vocabulary vocabulary) {
    List<SpecialSplitter.Piece> pieces = new ArrayList<>();
    addText(pieces, 0, text.length());
    for (int special : specials) {
      String name = vocabulary.text(special);
      List<SpecialSplitter.Piece> next = new ArrayList<>();
      for (SpecialSplitter.Piece piece : pieces) {
        int from = piece.from();
        if (!piece.isToken()) {
          for (int at;
              (at = text.indexOf(name, from, piece.to())) >= 0;
              from = at + name.length()) {
            addText(next, from, at);
            next.add(new SpecialSplitter.Piece(at, at + name.length(), special));
          }
          addText(next, from, piece.to());
        } else {
          next.add(piece);
        }
      }
      pieces = next;
    }
    return pieces;
  }

  private static void addText(List<SpecialSplitter.Piece> pieces, int from, int to) {
    if (from < to) {
      pieces.add(new SpecialSplitter.Piece(from, to, -1));
    }
  }
}

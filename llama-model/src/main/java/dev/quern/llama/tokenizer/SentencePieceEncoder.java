package dev.quern.llama.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;

/// SentencePiece's BPE, as Llama 1 and 2 use it: spaces are spelled U+2581, text begins as
/// characters, and of all neighbours that together are a token, those with the best score merge
/// first. A character that is no token becomes its UTF-8 bytes, as tokens `<0xXX>`.
final class SentencePieceEncoder implements TextEncoder {
  private static final char SPACE = '\u2581';

  private final Vocabulary vocabulary;
  private final int[] ranks; // [vocabularySize], ascending from the best score
  private final int[] byteTokens = new int[256]; // byte -> id, or the unknown token
  private final SpacePrefix spacePrefix;

  SentencePieceEncoder(Vocabulary vocabulary, float[] scores, SpacePrefix spacePrefix) {
    this.vocabulary = vocabulary;
    this.spacePrefix = spacePrefix;
    if (scores.length != vocabulary.size()) {
      throw new TokenizerException(
          String.format(
              Locale.ROOT,
              "%s has %d entries, expected %d as in %s",
              Keys.SCORES,
              scores.length,
              vocabulary.size(),
              Keys.TOKENS));
    }
    ranks = new int[scores.length];
    for (int id = 0; id < scores.length; id++) {
      if (Float.isNaN(scores[id])) {
        throw new TokenizerException(
            String.format(Locale.ROOT, "%s[%d] is NaN, expected a number", Keys.SCORES, id));
      }
      ranks[id] = descending(scores[id]);
    }
    Arrays.fill(byteTokens, vocabulary.unknown().orElse(TokenTable.ABSENT));
    for (int id = 0; id < vocabulary.size(); id++) {
      if (vocabulary.type(id) == TokenType.BYTE) {
        byteTokens[byteOf(id) & 0xff] = id;
      }
    }
    for (int b = 0; b < 256; b++) {
      if (byteTokens[b] == TokenTable.ABSENT) {
        throw new TokenizerException(
            String.format(
                Locale.ROOT,
                "%s has neither <0x%02X> nor an unknown token (%s), expected one of them",
                Keys.TOKENS,
                b,
                Keys.UNKNOWN));
      }
    }
  }

  @Override
  public void encode(String text, Place place, IntBuffer out) {
    String prefixed = spacePrefix.applies(text, place) ? SPACE + text : text;
    new Pieces(prefixed.replace(' ', SPACE).toCharArray()).encode(out);
  }

  @Override
  public byte[] bytes(int id) {
    if (vocabulary.type(id) == TokenType.BYTE) {
      return new byte[] {byteOf(id)};
    }
    return vocabulary.text(id).replace(SPACE, ' ').getBytes(StandardCharsets.UTF_8);
  }

  @Override
  public boolean addsSpacePrefix() {
    return spacePrefix != SpacePrefix.NEVER;
  }

  private byte byteOf(int id) {
    String text = vocabulary.text(id);
    if (!Definition.isByte(text)) {
      throw new TokenizerException(
          String.format(
              Locale.ROOT,
              "%s[%d] = %s is of type byte, expected the form <0xXX>",
              Keys.TOKENS,
              id,
              TokenizerException.quote(text)));
    }
    return (byte) Integer.parseInt(text, 3, 5, 16);
  }

  /// Maps floats to ints in the reverse order: the highest score gets the lowest int.
  private static int descending(float score) {
    int bits = Float.floatToIntBits(score + 0f); // -0 becomes 0
    return ~(bits ^ bits >> 31 & Integer.MAX_VALUE);
  }

  /// The pieces of one text. A symbol is a range of its characters.
  private final class Pieces extends BestFirstMerger {
    private final char[] chars;
    private final int[] start; // [symbols]
    private final int[] end; // [symbols]
    private final int count;

    Pieces(char[] chars) {
      this.chars = chars;
      start = new int[chars.length];
      end = new int[chars.length];
      int symbols = 0;
      for (int i = 0; i < chars.length; i = end[symbols++]) {
        start[symbols] = i;
        end[symbols] = i + Character.charCount(Character.codePointAt(chars, i));
      }
      count = symbols;
    }

    void encode(IntBuffer out) {
      run(count);
      for (int symbol = 0; symbol != END; symbol = next(symbol)) {
        int id = vocabulary.findText(chars, start[symbol], end[symbol]);
        if (id == TokenTable.ABSENT) {
          addBytes(symbol, out);
        } else {
          out.add(id);
        }
      }
    }

    private void addBytes(int symbol, IntBuffer out) {
      String character = new String(chars, start[symbol], end[symbol] - start[symbol]);
      for (byte b : character.getBytes(StandardCharsets.UTF_8)) {
        out.add(byteTokens[b & 0xff]);
      }
    }

    @Override
    int rank(int left, int right) {
      int id = vocabulary.findText(chars, start[left], end[right]);
      return id == TokenTable.ABSENT ? NO_RANK : ranks[id];
    }

    @Override
    void merge(int left, int right) {
      end[left] = end[right];
    }
  }
}

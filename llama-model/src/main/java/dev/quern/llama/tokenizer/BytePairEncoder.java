package dev.quern.llama.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;

/// Byte-level byte-pair encoding: text is cut into words as the [PreTokenizer] has it, a word that
/// is a token is taken as it is (llama.cpp's `ignore_merges`, which Llama 3's vocabularies have and
/// others lack), every other begins as bytes that merge by rank.
final class BytePairEncoder implements TextEncoder {
  private final Vocabulary vocabulary;
  private final MergeTable merges;
  private final PreTokenizer pre;
  private final int[] byteTokens = new int[256]; // byte -> id

  /// @param mergeTexts `"left right"`, the best first
  BytePairEncoder(Vocabulary vocabulary, List<String> mergeTexts, PreTokenizer pre) {
    this.vocabulary = vocabulary;
    this.pre = pre;
    if (mergeTexts.isEmpty()) {
      throw new TokenizerException(
          String.format(
              Locale.ROOT,
              "%s is missing or empty, expected the merges that %s = gpt2 needs",
              Keys.MERGES,
              Keys.MODEL));
    }
    for (int b = 0; b < 256; b++) {
      char[] text = {ByteAlphabet.charOf((byte) b)};
      byteTokens[b] = vocabulary.findText(text, 0, 1);
      if (byteTokens[b] == TokenTable.ABSENT) {
        throw new TokenizerException(
            String.format(
                Locale.ROOT,
                "%s lacks %s, which stands for the byte 0x%02X, expected a token for every byte",
                Keys.TOKENS,
                TokenizerException.quote(new String(text)),
                b));
      }
    }
    merges = new MergeTable(mergeTexts, vocabulary);
  }

  @Override
  public void encode(String text, Place place, IntBuffer out) {
    String composed = pre.composes() ? Composition.of(text) : text;
    Word word = new Word();
    pre.split(
        composed,
        (from, to) ->
            word.encode(composed.substring(from, to).getBytes(StandardCharsets.UTF_8), out));
  }

  @Override
  public byte[] bytes(int id) {
    return ByteAlphabet.decode(vocabulary.text(id));
  }

  @Override
  public boolean addsSpacePrefix() {
    return false;
  }

  /// Scratch for the words of one text.
  private final class Word extends BestFirstMerger {
    private final char[] spelling = new char[vocabulary.longestText()];
    private int[] ids = new int[32]; // [symbols], the token that a symbol is by now

    void encode(byte[] bytes, IntBuffer out) {
      int whole = pre.ignoresMerges() ? wholeWord(bytes) : TokenTable.ABSENT;
      if (whole != TokenTable.ABSENT) {
        out.add(whole);
        return;
      }
      ids = bytes.length <= ids.length ? ids : new int[2 * bytes.length];
      for (int i = 0; i < bytes.length; i++) {
        ids[i] = byteTokens[bytes[i] & 0xff];
      }
      run(bytes.length);
      for (int symbol = 0; symbol != END; symbol = next(symbol)) {
        out.add(ids[symbol]);
      }
    }

    private int wholeWord(byte[] bytes) {
      if (bytes.length > spelling.length) {
        return TokenTable.ABSENT;
      }
      for (int i = 0; i < bytes.length; i++) {
        spelling[i] = ByteAlphabet.charOf(bytes[i]);
      }
      return vocabulary.findText(spelling, 0, bytes.length);
    }

    @Override
    int rank(int left, int right) {
      return merges.rank(ids[left], ids[right]);
    }

    @Override
    void merge(int left, int right) {
      ids[left] = merges.merged(merges.rank(ids[left], ids[right]));
    }
  }
}

package dev.quern.llama.constrain;

import dev.quern.llama.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.Map;
import java.util.WeakHashMap;
import java.util.stream.IntStream;

/// The tokens of a vocabulary that are text, as constraints look at them: for 128,256 tokens some 5
/// MB, made in 0.2 s when a tokenizer's first constraint begins. Immutable.
///
/// Most tokens are short words of plain letters and signs. Where a constraint allows all of those,
/// as within a string of JSON, they need not be looked at one by one.
final class TokenTexts {
  /// Most characters of a plain token.
  static final int PLAIN = 12;

  private static final Map<Tokenizer, TokenTexts> KNOWN = new WeakHashMap<>(); // guarded by itself

  private final int vocabularySize;
  private final TokenTrie all;
  private final TokenTrie others; // those that are not plain
  private final long[] plain; // a bit for each token
  private final BitSet bytes = new BitSet(256); // those that are a token each

  private TokenTexts(Tokenizer tokenizer) {
    vocabularySize = tokenizer.vocabularySize();
    byte[][] texts = new byte[vocabularySize][];
    for (int id = 0; id < vocabularySize; id++) {
      texts[id] = tokenizer.isHidden(id) ? new byte[0] : tokenizer.bytes(id);
    }
    int[] tokens =
        IntStream.range(0, vocabularySize)
            .filter(id -> texts[id].length > 0 && texts[id].length <= Short.MAX_VALUE)
            .boxed()
            .sorted(Comparator.comparing(id -> texts[id], Arrays::compareUnsigned))
            .mapToInt(id -> id)
            .toArray();
    all = new TokenTrie(tokens, texts);
    others = new TokenTrie(Arrays.stream(tokens).filter(t -> !isPlain(texts[t])).toArray(), texts);
    plain = new long[(vocabularySize + 63) / 64];
    for (int id : tokens) {
      if (isPlain(texts[id])) {
        plain[id >> 6] |= 1L << id;
      }
      if (texts[id].length == 1) {
        bytes.set(texts[id][0] & 0xff);
      }
    }
  }

  /// Those of a tokenizer.
  static TokenTexts of(Tokenizer tokenizer) {
    synchronized (KNOWN) {
      return KNOWN.computeIfAbsent(tokenizer, TokenTexts::new);
    }
  }

  /// Whether a byte stands for itself in a string of JSON, and is a character.
  static boolean isPlain(int b) {
    return b >= ' ' && b <= '~' && b != '"' && b != '\\';
  }

  private static boolean isPlain(byte[] text) {
    for (byte b : text) {
      if (!isPlain(b)) {
        return false;
      }
    }
    return text.length <= PLAIN;
  }

  int vocabularySize() {
    return vocabularySize;
  }

  TokenTrie all() {
    return all;
  }

  TokenTrie others() {
    return others;
  }

  /// The tokens of up to [#PLAIN] plain bytes: a bit for each, not to be changed.
  long[] plain() {
    return plain;
  }

  /// The bytes that can be spelled whatever stands beside them.
  BitSet bytes() {
    return bytes;
  }

  /// Bytes that they take.
  long memory() {
    return all.memory() + others.memory() + 8L * plain.length;
  }
}

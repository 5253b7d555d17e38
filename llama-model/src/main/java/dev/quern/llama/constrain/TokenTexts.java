package dev.quern.llama.constrain;

import dev.quern.llama.tokenizer.Tokenizer;
import java.nio.charset.StandardCharsets;
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
///
/// Control tokens are none of the text, and yet a constraint may want one at its place. They have
/// spellings of their own, of bytes that no UTF-8 has; tokens that spell such a byte fit nowhere.
final class TokenTexts {
  /// Most characters of a plain token.
  static final int PLAIN = 12;

  /// Bytes from here on are in no UTF-8 (RFC 3629, 4): eight for a control token's name in octal
  /// digits, and one for its end.
  private static final int NO_TEXT = 0xf5;

  private static final byte END = (byte) 0xff;

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
      texts[id] = of(tokenizer, id);
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
    bytes.set(NO_TEXT, 0x100); // each control token's spelling is one token's
  }

  /// The bytes that a token adds to a constraint's text; none where it fits nowhere.
  static byte[] of(Tokenizer tokenizer, int id) {
    if (tokenizer.isHidden(id)) {
      return special(tokenizer.text(id));
    }
    byte[] bytes = tokenizer.bytes(id);
    for (byte b : bytes) {
      if ((b & 0xff) >= NO_TEXT) {
        return new byte[0];
      }
    }
    return bytes;
  }

  /// How a control token is spelled.
  ///
  /// @param token its entry in the vocabulary
  static byte[] special(String token) {
    byte[] name = token.getBytes(StandardCharsets.UTF_8);
    byte[] spelled = new byte[3 * name.length + 1];
    for (int i = 0; i < name.length; i++) {
      spelled[3 * i] = digit(name[i] >> 6);
      spelled[3 * i + 1] = digit(name[i] >> 3);
      spelled[3 * i + 2] = digit(name[i]);
    }
    spelled[3 * name.length] = END;
    return spelled;
  }

  private static byte digit(int bits) {
    return (byte) (NO_TEXT + (bits & 7));
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

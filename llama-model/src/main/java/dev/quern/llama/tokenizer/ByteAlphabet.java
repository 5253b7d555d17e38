package dev.quern.llama.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// The printable spelling of bytes in byte-level BPE vocabularies (`bytes_to_unicode` in OpenAI's
/// GPT-2 `encoder.py`): printable Latin-1 stands for itself, the other 68 bytes take the characters
/// from U+0100 on, in order. A space is therefore `Ġ`, a newline `Ċ`.
final class ByteAlphabet {
  private static final char[] CHARS = new char[256]; // byte -> character
  private static final short[] BYTES = new short[256 + 68]; // character -> byte, -1 where none

  static {
    Arrays.fill(BYTES, (short) -1);
    char next = 256;
    for (int b = 0; b < 256; b++) {
      boolean printable = b >= '!' && b <= '~' || b >= '\u00a1' && b <= '\u00ac' || b >= '\u00ae';
      CHARS[b] = printable ? (char) b : next++;
      BYTES[CHARS[b]] = (short) b;
    }
  }

  private ByteAlphabet() {}

  static char charOf(byte b) {
    return CHARS[b & 0xff];
  }

  /// The bytes that a token's text spells, or its UTF-8 where a character lies outside the alphabet
  /// (the text of special tokens is arbitrary).
  static byte[] decode(String text) {
    byte[] bytes = new byte[text.length()];
    for (int i = 0; i < bytes.length; i++) {
      char c = text.charAt(i);
      if (c >= BYTES.length || BYTES[c] < 0) {
        return text.getBytes(StandardCharsets.UTF_8);
      }
      bytes[i] = (byte) BYTES[c];
    }
    return bytes;
  }
}

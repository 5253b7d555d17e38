package dev.quern.llama.tokenizer;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/// Decodes tokens as they come. A token may end within a character: its bytes are held back until
/// the character is complete, so that no piece of text is ever taken back. All pieces together
/// equal [Tokenizer#decode]. For one stream and one thread.
///
/// @since 0.1
/// @stability api
public final class StreamingDecoder {
  private final Tokenizer tokenizer;
  private final boolean showSpecial;
  private final CharsetDecoder utf8 =
      StandardCharsets.UTF_8
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPLACE)
          .onUnmappableCharacter(CodingErrorAction.REPLACE);
  private byte[] heldBack = new byte[0]; // at most 3 bytes: an incomplete character
  private boolean dropSpace; // the one that SentencePiece puts before a text

  private StreamingDecoder(Tokenizer tokenizer, boolean showSpecial, boolean atStart) {
    this.tokenizer = tokenizer;
    this.showSpecial = showSpecial;
    this.dropSpace = atStart && tokenizer.addsSpacePrefix();
  }

  /// A decoder for tokens that begin a text, such as a reply. A SentencePiece vocabulary's space
  /// before the first word is left out.
  ///
  /// @param showSpecial whether control and unknown tokens show up as their names, or not at all
  public static StreamingDecoder atStart(Tokenizer tokenizer, boolean showSpecial) {
    return new StreamingDecoder(tokenizer, showSpecial, true);
  }

  /// A decoder for tokens that continue a text, such as a prompt. Every space counts.
  ///
  /// @param showSpecial whether control and unknown tokens show up as their names, or not at all
  public static StreamingDecoder continuing(Tokenizer tokenizer, boolean showSpecial) {
    return new StreamingDecoder(tokenizer, showSpecial, false);
  }

  /// The text that this token completes; empty while a character is incomplete.
  public String next(int id) {
    boolean hidden = tokenizer.isHidden(id);
    if (hidden && !showSpecial) {
      return "";
    }
    byte[] bytes = tokenizer.bytes(id);
    int from = 0;
    if (dropSpace && !hidden) {
      from = bytes.length > 0 && bytes[0] == ' ' ? 1 : 0;
      dropSpace = false;
    }
    return decode(bytes, from, false);
  }

  /// Whether the tokens so far end within a character, whose bytes are held back.
  public boolean isWithinCharacter() {
    return heldBack.length > 0;
  }

  /// The rest: U+FFFD where the tokens end within a character, otherwise nothing. The decoder may
  /// then go on with tokens that continue the text.
  public String finish() {
    return decode(new byte[0], 0, true);
  }

  private String decode(byte[] bytes, int from, boolean last) {
    ByteBuffer in = ByteBuffer.allocate(heldBack.length + bytes.length - from);
    in.put(heldBack).put(bytes, from, bytes.length - from).flip();
    CharBuffer out = CharBuffer.allocate(in.remaining() + 1); // UTF-8 never takes fewer bytes
    utf8.decode(in, out, last);
    if (last) {
      utf8.flush(out);
      utf8.reset();
    }
    heldBack = new byte[in.remaining()];
    in.get(heldBack);
    return out.flip().toString();
  }
}

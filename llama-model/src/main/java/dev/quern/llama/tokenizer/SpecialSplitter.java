package dev.quern.llama.tokenizer;

import java.util.ArrayList;
import java.util.List;

/// Finds special tokens in text, in llama.cpp's order: all occurrences of the longest special token
/// first, then those of the next in what is left.
final class SpecialSplitter {
  private static final int TEXT = -1;

  /// A token, or the text of the characters `from .. to - 1`.
  record Piece(int from, int to, int token) {
    boolean isToken() {
      return token != TEXT;
    }
  }

  private SpecialSplitter() {}

  static List<Piece> split(String text, int[] specials, Vocabulary vocabulary) {
    List<Piece> pieces = new ArrayList<>();
    if (!text.isEmpty()) {
      pieces.add(new Piece(0, text.length(), TEXT));
    }
    for (int special : specials) {
      String name = vocabulary.text(special);
      if (text.contains(name)) {
        pieces = splitAt(text, pieces, name, special);
      }
    }
    return pieces;
  }

  private static List<Piece> splitAt(String text, List<Piece> pieces, String name, int token) {
    List<Piece> result = new ArrayList<>();
    for (Piece piece : pieces) {
      if (piece.isToken()) {
        result.add(piece);
        continue;
      }
      int from = piece.from();
      for (int at; (at = text.indexOf(name, from, piece.to())) >= 0; from = at + name.length()) {
        addText(result, from, at);
        result.add(new Piece(at, at + name.length(), token));
      }
      addText(result, from, piece.to());
    }
    return result;
  }

  private static void addText(List<Piece> pieces, int from, int to) {
    if (from < to) {
      pieces.add(new Piece(from, to, TEXT));
    }
  }
}

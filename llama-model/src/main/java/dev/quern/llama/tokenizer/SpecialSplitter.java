package dev.quern.llama.tokenizer;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;

/// Finds special tokens in text, in llama.cpp's order: all occurrences of the longest special token
/// first, then those of the next in what is left; of equally long ones the smaller id is first.
///
/// The text is walked once for each length that special tokens have, however many there are.
final class SpecialSplitter {
  private static final int TEXT = -1;

  /// A token, or the text of the characters `from .. to - 1`.
  record Piece(int from, int to, int token) {
    boolean isToken() {
      return token != TEXT;
    }
  }

  /// The special tokens of one length.
  ///
  /// @param firsts their first characters
  /// @param ids their ids
  private record OfLength(int length, BitSet firsts, BitSet ids) {}

  private final Vocabulary vocabulary;
  private final List<OfLength> lengths = new ArrayList<>(); // the longest first

  /// @param specials ids, those of the longest texts first
  SpecialSplitter(int[] specials, Vocabulary vocabulary) {
    this.vocabulary = vocabulary;
    for (int special : specials) {
      String name = vocabulary.text(special);
      if (lengths.isEmpty() || lengths.getLast().length() != name.length()) {
        lengths.add(new OfLength(name.length(), new BitSet(), new BitSet()));
      }
      lengths.getLast().firsts().set(name.charAt(0));
      lengths.getLast().ids().set(special);
    }
  }

  List<Piece> split(String text) {
    return split(text, new BitSet());
  }

  /// As [#split(String)], of which no token has any of the `ordinary` characters.
  List<Piece> split(String text, BitSet ordinary) {
    char[] chars = text.toCharArray();
    BitSet taken = (BitSet) ordinary.clone();
    List<Piece> found = new ArrayList<>();
    for (OfLength special : lengths) {
      List<Piece> candidates = candidates(chars, special, taken);
      candidates.sort(Comparator.comparingInt(Piece::token).thenComparingInt(Piece::from));
      for (Piece piece : candidates) {
        if (isFree(taken, piece.from(), piece.to())) {
          taken.set(piece.from(), piece.to());
          found.add(piece);
        }
      }
    }
    found.sort(Comparator.comparingInt(Piece::from));
    List<Piece> pieces = new ArrayList<>();
    int from = 0;
    for (Piece token : found) {
      addText(pieces, from, token.from());
      pieces.add(token);
      from = vocabulary.textFrom(token.token(), text, token.to());
    }
    addText(pieces, from, chars.length);
    return pieces;
  }

  private List<Piece> candidates(char[] chars, OfLength special, BitSet taken) {
    List<Piece> candidates = new ArrayList<>();
    int length = special.length();
    for (int from = 0; from <= chars.length - length; from++) {
      if (special.firsts().get(chars[from])) {
        int id = vocabulary.id(chars, from, from + length);
        if (id != TokenTable.ABSENT
            && special.ids().get(id)
            && isFree(taken, from, from + length)) {
          candidates.add(new Piece(from, from + length, id));
        }
      }
    }
    return candidates;
  }

  private static boolean isFree(BitSet taken, int from, int to) {
    for (int i = from; i < to; i++) { // nextSetBit would look through all that follows
      if (taken.get(i)) {
        return false;
      }
    }
    return true;
  }

  private static void addText(List<Piece> pieces, int from, int to) {
    if (from < to) {
      pieces.add(new Piece(from, to, TEXT));
    }
  }
}

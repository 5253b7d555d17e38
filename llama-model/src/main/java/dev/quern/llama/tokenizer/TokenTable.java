package dev.quern.llama.tokenizer;

import java.util.List;

/// Token texts to ids: open addressing, so that lookups by a range of characters allocate nothing
/// and a vocabulary of 128k entries builds in milliseconds.
final class TokenTable {
  static final int ABSENT = -1;

  private final String[] texts; // [vocabularySize]
  private final long[] slots; // hash << 32 | id + 1, 0 where free; at most half full
  private final int longest;

  /// @throws TokenizerException where a text is empty or occurs twice
  TokenTable(List<String> tokens) {
    texts = tokens.toArray(String[]::new);
    slots = new long[Integer.highestOneBit(Math.max(texts.length, 1)) << 2];
    int max = 0;
    char[] chars = new char[64];
    for (int id = 0; id < texts.length; id++) {
      String text = texts[id];
      if (text.isEmpty()) {
        throw new TokenizerException("%s[%d] is empty, expected a text".formatted(Keys.TOKENS, id));
      }
      max = Math.max(max, text.length());
      chars = text.length() <= chars.length ? chars : new char[2 * text.length()];
      text.getChars(0, text.length(), chars, 0);
      int slot = slotOf(chars, 0, text.length());
      if (slots[slot] != 0) {
        throw new TokenizerException(
            "%s[%d] and [%d] are both %s, expected distinct texts"
                .formatted(Keys.TOKENS, idIn(slot), id, TokenizerException.quote(text)));
      }
      slots[slot] = (long) hash(chars, 0, text.length()) << 32 | id + 1;
    }
    longest = max;
  }

  int size() {
    return texts.length;
  }

  String text(int id) {
    return texts[id];
  }

  /// Characters of the longest text.
  int longest() {
    return longest;
  }

  /// The id of the token with that text, or [#ABSENT].
  int find(String text) {
    return find(text.toCharArray(), 0, text.length());
  }

  /// The id of the token whose text is `chars[from, to)`, or [#ABSENT].
  int find(char[] chars, int from, int to) {
    return to - from > longest ? ABSENT : idIn(slotOf(chars, from, to));
  }

  private int idIn(int slot) {
    return (int) slots[slot] - 1;
  }

  /// The slot that holds `chars[from, to)`, or the free one where it belongs.
  private int slotOf(char[] chars, int from, int to) {
    int hash = hash(chars, from, to);
    int mask = slots.length - 1;
    int slot = hash & mask;
    while (slots[slot] != 0
        && !((int) (slots[slot] >>> 32) == hash && equals(texts[idIn(slot)], chars, from, to))) {
      slot = slot + 1 & mask;
    }
    return slot;
  }

  private static boolean equals(String text, char[] chars, int from, int to) {
    if (text.length() != to - from) {
      return false;
    }
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) != chars[from + i]) {
        return false;
      }
    }
    return true;
  }

  private static int hash(char[] chars, int from, int to) {
    int hash = 0;
    for (int i = from; i < to; i++) {
      hash = 31 * hash + chars[i];
    }
    hash *= 0x9E3779B9; // spreads short texts, whose sums lie close together, over the table
    return hash ^ hash >>> 15;
  }
}

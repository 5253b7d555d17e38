package dev.quern.llama.tokenizer;

import dev.quern.llama.bytes.KeyedHash;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/// Token texts to ids: open addressing, so that lookups by a range of characters allocate nothing,
/// by a hash that a file's author can't foresee. The texts lie in one array: building Llama 3's
/// merges takes 840,000 lookups, and strings of their own would cost each of them two cache misses
/// more.
final class TokenTable {
  static final int ABSENT = -1;

  private final char[] chars; // all texts, one after the other
  private final int[] starts; // [vocabularySize + 1], where a text begins in chars
  private final long[] slots; // hash << 32 | id + 1, 0 where free; at most half full
  private final int longest;

  /// @throws TokenizerException where a text is empty or occurs twice
  TokenTable(List<String> tokens) {
    long length = tokens.stream().mapToLong(String::length).sum();
    if (length > Integer.MAX_VALUE - 8) {
      throw new TokenizerException(
          String.format(
              Locale.ROOT, "%s has %d characters, expected fewer than 2^31", Keys.TOKENS, length));
    }
    chars = new char[(int) length];
    starts = new int[tokens.size() + 1];
    slots = new long[Integer.highestOneBit(Math.max(tokens.size(), 1)) << 2];
    int max = 0;
    for (int id = 0; id < tokens.size(); id++) {
      String text = tokens.get(id);
      if (text.isEmpty()) {
        throw new TokenizerException(
            String.format(Locale.ROOT, "%s[%d] is empty, expected a text", Keys.TOKENS, id));
      }
      int from = starts[id];
      int to = from + text.length();
      text.getChars(0, text.length(), chars, from);
      starts[id + 1] = to;
      int hash = hash(chars, from, to);
      int slot = slotOf(hash, chars, from, to);
      if (slots[slot] != 0) {
        throw new TokenizerException(
            String.format(
                Locale.ROOT,
                "%s[%d] and [%d] are both %s, expected distinct texts",
                Keys.TOKENS,
                idIn(slot),
                id,
                TokenizerException.quote(text)));
      }
      slots[slot] = (long) hash << 32 | id + 1;
      max = Math.max(max, text.length());
    }
    longest = max;
  }

  int size() {
    return starts.length - 1;
  }

  String text(int id) {
    return new String(chars, starts[id], starts[id + 1] - starts[id]);
  }

  /// Characters of a text.
  int length(int id) {
    return starts[id + 1] - starts[id];
  }

  /// Characters of the longest text.
  int longest() {
    return longest;
  }

  /// The id of the token with that text, or [#ABSENT].
  int find(String text) {
    return find(text.toCharArray(), 0, text.length());
  }

  /// The id of the token whose text is `text[from, to)`, or [#ABSENT].
  int find(char[] text, int from, int to) {
    return to - from > longest ? ABSENT : idIn(slotOf(hash(text, from, to), text, from, to));
  }

  private int idIn(int slot) {
    return (int) slots[slot] - 1;
  }

  /// The slot that holds `text[from, to)`, or the free one where it belongs.
  private int slotOf(int hash, char[] text, int from, int to) {
    int mask = slots.length - 1;
    int slot = hash & mask;
    while (slots[slot] != 0
        && !((int) (slots[slot] >>> 32) == hash && isText(idIn(slot), text, from, to))) {
      slot = slot + 1 & mask;
    }
    return slot;
  }

  private boolean isText(int id, char[] text, int from, int to) {
    return Arrays.equals(chars, starts[id], starts[id + 1], text, from, to);
  }

  /// Steps that the worst of all texts takes to be found.
  int longestProbe() {
    int longestProbe = 0;
    int mask = slots.length - 1;
    for (int slot = 0; slot < slots.length; slot++) {
      if (slots[slot] != 0) {
        longestProbe = Math.max(longestProbe, slot - (int) (slots[slot] >>> 32) & mask);
      }
    }
    return longestProbe;
  }

  private static int hash(char[] text, int from, int to) {
    return (int) KeyedHash.OF_PROCESS.of(text, from, to);
  }
}

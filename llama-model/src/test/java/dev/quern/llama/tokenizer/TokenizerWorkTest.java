package dev.quern.llama.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Work on hostile text, counted: nothing that grows faster than the text, but for the logarithm of
/// the merges' heap.
class TokenizerWorkTest {
  private static final int LENGTH = 1 << 18;

  /// Runs of each class, and what makes a scanner look ahead or back.
  private static final List<String> UNITS =
      List.of(
          " ",
          "a",
          "A",
          "aA",
          "Aa",
          "\u3042A",
          "\u3042",
          "\u0301",
          "A\u0301",
          "1",
          "a1",
          "!",
          "!\n",
          "/\n",
          "\n",
          " \n",
          "\n ",
          "'",
          "'s",
          "'S",
          ".1",
          " 1",
          "\u00e9",
          "\ud835\udd4f",
          "$a",
          "12a");

  private static final class Counted implements CharSequence {
    private final String text;
    private long reads;

    Counted(String text) {
      this.text = text;
    }

    @Override
    public int length() {
      return text.length();
    }

    @Override
    public char charAt(int index) {
      reads++;
      return text.charAt(index);
    }

    @Override
    public CharSequence subSequence(int start, int end) {
      throw new UnsupportedOperationException();
    }

    @Override
    public String toString() {
      return text;
    }
  }

  static Stream<String> kinds() {
    return PreTokenizer.all().stream().map(pre -> pre.names().getFirst());
  }

  /// Steps of four scanners read a character at most so often, wherever it stands.
  @ParameterizedTest
  @MethodSource("kinds")
  void charactersAreReadAFewTimes(String kind) {
    PreTokenizer pre = PreTokenizer.byName(Optional.of(kind));
    for (String unit : UNITS) {
      for (String end : List.of("", "B", "!", "\n", "1")) {
        Counted text = new Counted(unit.repeat(LENGTH / unit.length()) + end);
        int[] last = {0};
        pre.split(
            text,
            (from, to) -> {
              assertEquals(last[0], from);
              last[0] = to;
            });
        assertEquals(text.length(), last[0]);
        long most = 24L * text.length();
        assertTrue(text.reads <= most, () -> unit + ": " + text.reads + " reads, bound " + most);
      }
    }
  }

  /// All pairs merge, again and again: a symbol less with each merge, which ranks two pairs anew.
  @Test
  void mergesRankAFewPairs() {
    long[] ranked = {0};
    int[] size = new int[LENGTH];
    BestFirstMerger merger =
        new BestFirstMerger() {
          @Override
          int rank(int left, int right) {
            ranked[0]++;
            return size[left] == size[right] ? size[left] : NO_RANK;
          }

          @Override
          void merge(int left, int right) {
            size[left]++;
          }
        };
    merger.run(LENGTH);
    assertEquals(BestFirstMerger.END, merger.next(0));
    assertTrue(ranked[0] <= 3L * LENGTH, () -> ranked[0] + " pairs were ranked");
  }

  /// One special token at the end: whether others overlap it is not looked for from afar. Otherwise
  /// this takes minutes.
  @Test
  void specialTokensAreFoundBehindMillionsOfTheirBeginnings() {
    TestDefinition definition = TestDefinition.bytePair("< <");
    int longest = definition.add("<a long token>", TestDefinition.USER_DEFINED);
    definition.add("<short>", TestDefinition.USER_DEFINED);
    int[] ids = definition.tokenizer().encode("<".repeat(1 << 23) + "<a long token>", false);
    assertEquals((1 << 22) + 1, ids.length);
    assertEquals(longest, ids[ids.length - 1]);
  }
}

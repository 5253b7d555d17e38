package dev.quern.llama.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

class Llama3SplitterTest {
  /// The published expression, with the classes that Java spells differently.
  private static final Pattern PUBLISHED =
      Pattern.compile(
          "'(?:[sS]|[tT]|[rR][eE]|[vV][eE]|[mM]|[lL][lL]|[dD])"
              + "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+"
              + "|\\p{N}{1,3}"
              + "| ?[^\\p{IsWhite_Space}\\p{L}\\p{N}]+[\\r\\n]*"
              + "|\\p{IsWhite_Space}*[\\r\\n]+"
              + "|\\p{IsWhite_Space}+(?!\\P{IsWhite_Space})"
              + "|\\p{IsWhite_Space}+");

  @Property(tries = 20_000)
  void equalsThePublishedExpression(@ForAll("texts") String text) {
    assertEquals(published(text), split(text));
  }

  @Provide
  Arbitrary<String> texts() {
    return Texts.wellFormed();
  }

  @Test
  void everyCodePointIsClassedAsInTheExpression() {
    for (int c = 0; c <= Character.MAX_CODE_POINT; c++) {
      if (c < Character.MIN_SURROGATE || c > Character.MAX_SURROGATE) {
        String text = "x" + Character.toString(c) + "y  1" + Character.toString(c) + " ";
        assertEquals(published(text), split(text), () -> "code points " + text.codePoints());
      }
    }
  }

  @Test
  void splitsWordsNumbersAndContractions() {
    assertEquals(
        List.of("I", "'LL", " see", " ", " x", "123", "4", "!?\n\n", "  ", " y", "\n"),
        split("I'LL see  x1234!?\n\n   y\n"));
  }

  /// A million characters of one kind: linear time and a flat stack, or this never ends.
  @Test
  void longRunsAreScannedOnce() {
    for (String unit : List.of(" ", "a", "1", "!", "\n", " \n", "'", "é", "😀")) {
      String text = unit.repeat(1 << 20);
      int words = 0;
      for (int at = 0; at < text.length(); at = Llama3Splitter.wordEnd(text, at, text.length())) {
        words++;
      }
      assertTrue(words >= 1, unit);
    }
  }

  private static List<String> published(String text) {
    List<String> words = new ArrayList<>();
    Matcher matcher = PUBLISHED.matcher(text);
    while (matcher.find()) {
      words.add(matcher.group());
    }
    return words;
  }

  private static List<String> split(String text) {
    List<String> words = new ArrayList<>();
    for (int from = 0, to; from < text.length(); from = to) {
      to = Llama3Splitter.wordEnd(text, from, text.length());
      words.add(text.substring(from, to));
    }
    return words;
  }
}

package dev.quern.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

/// Stop strings in texts that come in pieces.
class StopStringsTest {
  /// What is handed on is the text up to the first stop string that is complete, however it is cut.
  @Property(tries = 5_000)
  void theCutsDontMatter(
      @ForAll("pieces") List<String> pieces, @ForAll("stops") List<String> stops) {
    StopStrings search = new StopStrings(stops);
    StringBuilder handedOn = new StringBuilder();
    for (String piece : pieces) {
      handedOn.append(search.next(piece));
    }
    handedOn.append(search.rest());
    String text = String.join("", pieces);
    int end = firstComplete(text, stops);
    assertEquals(end >= 0, search.found());
    assertEquals(end >= 0 ? text.substring(0, end) : text, handedOn.toString());
    assertEquals(handedOn.length(), search.released());
  }

  /// Nothing is held back that can't become a stop string.
  @Property(tries = 2_000)
  void onlyABeginningIsHeldBack(
      @ForAll("pieces") List<String> pieces, @ForAll("stops") List<String> stops) {
    StopStrings search = new StopStrings(stops);
    String text = "";
    for (String piece : pieces) {
      search.next(piece);
      text += piece;
      if (search.found()) {
        return;
      }
      String held = text.substring(search.released());
      assertTrue(
          held.isEmpty()
              || stops.stream().anyMatch(s -> s.startsWith(held) && s.length() > held.length()),
          held);
    }
  }

  @Test
  void aFalseBeginningIsHandedOn() {
    StopStrings search = new StopStrings(List.of("aab"));
    assertEquals("", search.next("a"));
    assertEquals("", search.next("a"));
    assertEquals("a", search.next("a")); // of three, the last two may begin it
    assertFalse(search.found());
    assertEquals("", search.next("bc"));
    assertTrue(search.found());
    assertEquals("", search.next("more"));
    assertEquals("", search.rest());
  }

  private static int firstComplete(String text, List<String> stops) {
    for (int end = 1; end <= text.length(); end++) {
      String head = text.substring(0, end);
      int longest = stops.stream().filter(head::endsWith).mapToInt(String::length).max().orElse(-1);
      if (longest > 0) {
        return end - longest;
      }
    }
    return -1;
  }

  @Provide
  Arbitrary<List<String>> pieces() {
    return Arbitraries.strings()
        .withChars('a', 'b', 'c')
        .ofMaxLength(4)
        .list()
        .ofMaxSize(8)
        .map(ArrayList::new);
  }

  @Provide
  Arbitrary<List<String>> stops() {
    return Arbitraries.strings()
        .withChars('a', 'b', 'c')
        .ofMinLength(1)
        .ofMaxLength(5)
        .list()
        .ofMaxSize(3);
  }
}

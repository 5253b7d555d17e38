package dev.quern.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.AlphaChars;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NearestTest {
  @ParameterizedTest
  @CsvSource({
    "vector, vector, 0",
    "vectr, vector, 1",
    "vecotr, vector, 1",
    "vectors, vector, 1",
    "kitten, sitting, 3",
    "'', abc, 3"
  })
  void distanceCountsEdits(String a, String b, int expected) {
    assertEquals(expected, Nearest.distance(a, b));
  }

  @Property
  void distanceIsSymmetricAndZeroOnlyForEquals(
      @ForAll @AlphaChars @StringLength(max = 8) String a,
      @ForAll @AlphaChars @StringLength(max = 8) String b) {
    assertEquals(Nearest.distance(a, b), Nearest.distance(b, a));
    assertEquals(a.equals(b), Nearest.distance(a, b) == 0);
    assertTrue(Nearest.distance(a, b) <= Math.max(a.length(), b.length()));
  }

  @Test
  void farWordsAreNotSuggested() {
    List<String> names = List.of("scalar", "vector", "kleidi");
    assertEquals(Optional.of("kleidi"), Nearest.to("klidi", names));
    assertEquals(Optional.empty(), Nearest.to("cuda", names));
    assertEquals(" (did you mean scalar?)", Nearest.hint("scaler", names));
  }
}

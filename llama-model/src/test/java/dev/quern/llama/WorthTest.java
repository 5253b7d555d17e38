package dev.quern.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class WorthTest {
  @Test
  void bothAreTriedAndTheBetterOneStays() {
    assertEquals(940, guesses(1_000, 50), 10); // 60 of 64, and the first trial
    assertEquals(62, guesses(1_000, 150), 10); // 4 of 64
  }

  /// How many of so many steps have guesses.
  ///
  /// @param nanos of a token with them; 100 without
  private static int guesses(int steps, int nanos) {
    Worth worth = new Worth(2);
    int guesses = 0;
    for (int i = 0; i < steps; i++) {
      boolean guessed = worth.pays(2);
      guesses += guessed ? 1 : 0;
      worth.took(2, guessed, guessed ? 3 : 1, guessed ? 3L * nanos : 100);
    }
    return guesses;
  }

  @Test
  void whatChangesIsNoticed() {
    Worth worth = new Worth(1);
    for (int i = 0; i < 100; i++) {
      boolean guessed = worth.pays(1);
      worth.took(1, guessed, 1, guessed ? 50 : 100);
    }
    assertTrue(worth.pays(1));
    for (int i = 0; i < 20; i++) {
      worth.took(1, true, 1, 400); // the text has become another one
    }
    assertFalse(worth.pays(1));
  }

  @Test
  void eachNumberOfSequencesIsMeasuredForItself() {
    Worth worth = new Worth(8);
    for (int i = 0; i < 60; i++) {
      worth.took(1, true, 1, 50);
      worth.took(1, false, 1, 100);
      worth.took(8, true, 8, 1_600);
      worth.took(8, false, 8, 800);
    }
    assertTrue(worth.pays(1));
    assertFalse(worth.pays(8));
  }
}

package dev.quern.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class LookupTest {
  private static int[] guess(int most, int room, int... tokens) {
    return new Lookup(most).guess(tokens(tokens), tokens[tokens.length - 1], room);
  }

  /// All but the last, which is next.
  private static SessionTokens tokens(int... tokens) {
    SessionTokens before = new SessionTokens(100, 100);
    before.append(tokens, 0, tokens.length - 1);
    return before;
  }

  @Test
  void whatFollowedThenFollowsNow() {
    assertArrayEquals(new int[] {3, 4, 5}, guess(3, 9, 1, 2, 3, 4, 5, 6, 1, 2));
    assertArrayEquals(new int[] {3, 4}, guess(3, 2, 1, 2, 3, 4, 5, 6, 1, 2));
    assertArrayEquals(new int[] {}, guess(3, 0, 1, 2, 3, 4, 5, 6, 1, 2));
  }

  @Test
  void oneTokenAloneIsNoReasonAndTheLongestMatchIsTheBest() {
    assertArrayEquals(new int[] {}, guess(3, 9, 1, 2, 3, 4, 9, 2));
    assertArrayEquals(new int[] {7}, guess(1, 9, 8, 1, 2, 7, 9, 1, 2, 5, 8, 1, 2));
    assertArrayEquals(new int[] {5}, guess(1, 9, 1, 2, 7, 9, 1, 2, 5, 3, 1, 2)); // the nearer one
  }

  @Test
  void aLoopGoesOnForAsLongAsIsAskedFor() {
    assertArrayEquals(new int[] {4, 4, 4, 4, 4}, guess(5, 9, 4, 4, 4));
    assertArrayEquals(new int[] {1, 2, 3, 1, 2, 3, 1}, guess(7, 9, 1, 2, 3, 1, 2, 3));
  }

  @Test
  void wrongGuessesPause() {
    Lookup lookup = new Lookup(4);
    SessionTokens tokens = tokens(1, 2, 3, 4, 1, 2);
    for (int i = 0; i < 8; i++) {
      assertEquals(4, lookup.guess(tokens, 2, 9).length);
      lookup.was(4, 1);
    }
    assertTrue(lookup.isPausing());
    for (int i = 0; i < 64; i++) {
      assertEquals(0, lookup.guess(tokens, 2, 9).length);
    }
    assertFalse(lookup.isPausing());
    assertEquals(4, lookup.guess(tokens, 2, 9).length);
  }
}

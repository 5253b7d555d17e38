package dev.quern.measure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class SpreadTest {
  @Test
  void medianMinMax() {
    Spread spread = new Spread(3, 1, 2);
    assertEquals(2, spread.median());
    assertEquals(1, spread.min());
    assertEquals(3, spread.max());
    assertEquals(1, spread.relative());
    assertEquals(2.5, new Spread(4, 1, 3, 2).median());
  }

  @Test
  void overFivePercentIsUnstable() {
    assertTrue(new Spread(98, 100, 102).stable());
    assertFalse(new Spread(97, 100, 103).stable());
    assertTrue(new Spread(5).stable());
  }

  @Test
  void nothingHasNoSpread() {
    assertThrows(IllegalArgumentException.class, Spread::new);
  }
}

package dev.quern.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class PaceTest {
  @Test
  void rowsAddAFewStepsAtMost() {
    Pace pace = new Pace(64);
    assertEquals(8, pace.rows()); // nothing is known
    pace.took(8, 100); // nor is a step's time
    assertEquals(8, pace.rows());
    pace.took(0, 1_000);
    pace.took(8, 1_000 + 8 * 100); // a row adds a tenth of a step
    assertEquals(25, pace.rows());
    for (int i = 0; i < 50; i++) {
      pace.took(25, 1_000 + 25 * 250); // and more in a long context
    }
    assertEquals(10, pace.rows());
    for (int i = 0; i < 50; i++) {
      pace.took(0, 8_000); // eight decode
    }
    assertEquals(64, pace.rows());
    for (int i = 0; i < 50; i++) {
      pace.took(1, 1_000_000);
    }
    assertEquals(1, pace.rows()); // a prompt comes in, however slowly
    assertTrue(new Pace(3).rows() == 3);
  }
}

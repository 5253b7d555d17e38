package dev.quern.provider.vector;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.provider.vector.lanes.Lanes;
import java.util.Locale;
import org.junit.jupiter.api.Test;

class WidthTest {
  /// The build's executions differ in nothing but this, and must not all run alike.
  @Test
  void theWidthIsTheOneThatTheBuildAsksFor() {
    int bits = Integer.getInteger("vector.bits", Integer.MAX_VALUE);
    assertTrue(
        32 * Lanes.L <= bits, String.format(Locale.ROOT, "vectors of %d bits", 32 * Lanes.L));
  }
}

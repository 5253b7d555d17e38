package dev.quern.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class SettingsTest {
  /// Before any case runs: read where P14 is checked, it would count as a fault of the kernel.
  @Test
  void aMistypedPropertyIsRefusedAtOnce() {
    String property = "quern.conformance.allocation";
    String before = System.setProperty(property, "raport");
    try {
      IllegalArgumentException e =
          assertThrows(IllegalArgumentException.class, Settings::fromSystemProperties);
      assertEquals(property + "=raport, expected judge or report", e.getMessage());
    } finally {
      if (before == null) {
        System.clearProperty(property);
      } else {
        System.setProperty(property, before);
      }
    }
  }
}

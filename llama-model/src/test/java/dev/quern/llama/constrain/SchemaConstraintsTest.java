package dev.quern.llama.constrain;

import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.quern.llama.error.RequestException;
import org.junit.jupiter.api.Test;

class SchemaConstraintsTest {
  private final SchemaConstraints constraints = new SchemaConstraints();

  @Test
  void aSchemaThatComesAgainIsNotCompiledAgain() {
    Constraint first = constraints.of(schema(0));
    for (int i = 1; i < 64; i++) {
      constraints.of(schema(i));
      assertSame(first, constraints.of(schema(0)), "it is used again and again");
    }
    assertSame(constraints.anyObject(), constraints.anyObject());
  }

  @Test
  void whatWasNotUsedForLongIsForgotten() {
    Constraint first = constraints.of(schema(0));
    for (int i = 1; i <= 64; i++) {
      constraints.of(schema(i));
    }
    assertNotSame(first, constraints.of(schema(0)));
  }

  @Test
  void aSchemaThatCantBeKeptToIsRefusedEachTime() {
    for (int i = 0; i < 2; i++) {
      assertThrows(RequestException.class, () -> constraints.of("{\"type\": 1}"));
    }
  }

  private static String schema(int most) {
    return "{\"type\": \"string\", \"maxLength\": " + (most + 1) + "}";
  }
}

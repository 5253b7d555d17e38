package dev.quern.llama.constrain;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.llama.error.RequestException;
import dev.quern.llama.tokenizer.PublishedTemplates;
import dev.quern.llama.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/// Constraints of parts, control tokens among them.
class ConstraintPartsTest {
  private static final Tokenizer TOKENIZER = PublishedTemplates.tokenizerFor("[CALLS] [ARGS]");
  private static final int CALLS = TOKENIZER.id("[CALLS]").getAsInt();
  private static final int ARGS = TOKENIZER.id("[ARGS]").getAsInt();

  private static int[] allowed(ConstraintState state) {
    return BitSet.valueOf(state.allowed()).stream().toArray();
  }

  private static boolean fits(Constraint constraint, int... tokens) {
    ConstraintState state = constraint.start(TOKENIZER, Set.of());
    for (int token : tokens) {
      if (!BitSet.valueOf(state.allowed()).get(token)) {
        assertThrows(IllegalArgumentException.class, () -> state.accept(token));
        return false;
      }
      state.accept(token);
    }
    return state.isAccepting();
  }

  private static int[] letters(String text) {
    return TOKENIZER.encode(text, false);
  }

  @Test
  void aTextAndOneOfSeveralBehindIt() {
    Constraint c =
        Constraint.sequence(
            List.of(
                Constraint.text("a:"),
                Constraint.oneOf(
                    List.of(
                        Constraint.text("xy"),
                        Constraint.regex("x[0-9]"),
                        Constraint.jsonSchema("{\"type\": \"boolean\"}"))),
                Constraint.text(".")));
    for (String text : List.of("a:xy.", "a:x7.", "a:true.")) {
      assertTrue(fits(c, letters(text)), text);
    }
    for (String text : List.of("a:xy", "a:x.", "a:xytrue.", "xy.", "a:.")) {
      assertFalse(fits(c, letters(text)), text);
    }
  }

  /// It is that token, not its letters, no other one, and no bytes that no text has.
  @Test
  void aControlTokenAtItsPlace() {
    Constraint c =
        Constraint.sequence(
            List.of(Constraint.token("[CALLS]"), Constraint.text("f"), Constraint.token("[ARGS]")));
    ConstraintState state = c.start(TOKENIZER, Set.of());
    assertEquals(List.of(CALLS), Arrays.stream(allowed(state)).boxed().toList());
    int f = letters("f")[0];
    assertTrue(fits(c, CALLS, f, ARGS));
    assertFalse(fits(c, CALLS, f));
    assertFalse(fits(c, ARGS));
    assertFalse(fits(c, letters("[CALLS]")));
    for (int id = 0; id < 256; id++) { // each is a byte
      assertFalse(fits(c, id), "token " + id);
    }
    assertFalse(fits(Constraint.regex("[\\s\\S]*"), CALLS));
  }

  @Test
  void aTokenThatIsNoControlTokenIsRefused() {
    for (String token : List.of("[NONE]", "f")) {
      String message =
          assertThrows(
                  RequestException.class, () -> Constraint.token(token).start(TOKENIZER, Set.of()))
              .getMessage();
      assertEquals(
          "constraint: token '" + token + "', expected a control token of the vocabulary", message);
    }
  }
}

package dev.quern;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.testing.ChildJvm;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.opentest4j.AssertionFailedError;

/// JVMs of their own, as tests ask them.
class ChildJvmTest {
  /// Prints a line on each stream and ends with the status that it is given.
  static final class Program {
    public static void main(String[] args) {
      System.out.println("to out");
      System.err.println("to err");
      System.exit(Integer.parseInt(args[0]));
    }
  }

  @Test
  void theAnswerIsWhatItPrinted() throws Exception {
    assertEquals(List.of("to out", "to err"), run("0"));
  }

  @Test
  void anotherStatusFailsWithWhatItPrinted() {
    AssertionFailedError e = assertThrows(AssertionFailedError.class, () -> run("3"));
    assertTrue(e.getMessage().contains("to err"), e.getMessage());
  }

  private static List<String> run(String status) throws Exception {
    return ChildJvm.run(
        List.of("-cp", ChildJvm.path(Program.class), Program.class.getName(), status));
  }
}

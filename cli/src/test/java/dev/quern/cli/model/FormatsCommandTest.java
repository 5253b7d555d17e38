package dev.quern.cli.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.cli.Quern;
import dev.quern.data.BlockFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

class FormatsCommandTest {
  @Test
  void everyFormatHasALineWithItsBitsAndWhoRunsIt() {
    Quern result = Quern.run("formats", "--provider", "scalar");
    assertEquals(0, result.code(), result.err());
    List<String> lines = result.out().lines().toList();
    assertEquals(BlockFormat.standard().size() + 1, lines.size(), result.out());
    for (int i = 0; i < BlockFormat.standard().size(); i++) {
      String line = lines.get(i + 1);
      assertTrue(line.startsWith(BlockFormat.standard().get(i).id() + " "), line);
      assertEquals(2, line.split(" scalar ", -1).length - 1, line); // decode and prefill
    }
    // 18 bytes for 32 weights; 4 bits and a BF16 scale for 128; 8 bits and an F32 scale for 2048.
    assertTrue(result.out().contains("Q4_0       4.500  scalar "), result.out());
    assertTrue(result.out().contains("INT4_B128  4.125  scalar "), result.out());
    assertTrue(result.out().contains("INT8_C     8.016  scalar "), result.out());
  }

  @Test
  void aProviderThatIsNotThereIsNamed() {
    Quern result = Quern.run("formats", "--provider", "nobody");
    assertEquals(1, result.code());
    assertTrue(result.err().contains("nobody"), result.err());
  }
}

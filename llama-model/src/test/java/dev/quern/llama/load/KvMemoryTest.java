package dev.quern.llama.load;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.data.KvFormat;
import dev.quern.llama.checkpoint.Shapes;
import dev.quern.llama.error.LlamaException;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

/// The KV cache's size is known, and what does not fit is refused before anything is allocated.
class KvMemoryTest {
  private static final long MIB = 1 << 20;

  @Test
  void theSizeIsThatOfTheFormula() {
    assertEquals(1024 * MIB, new KvMemory(Shapes.ONE_B, KvFormat.F16).bytes(32_768));
    assertEquals(8192 * MIB, new KvMemory(Shapes.ONE_B, KvFormat.F32).bytes(131_072));
  }

  @Test
  void whatDoesNotFitIsRefusedWithTheLargestThatDoes() {
    KvMemory memory = new KvMemory(Shapes.ONE_B, KvFormat.F16);
    String refusal =
        assertThrows(
                LlamaException.class,
                () -> memory.requireFits(131_072, OptionalLong.of(1024 * MIB)))
            .getMessage();
    for (String part :
        List.of(
            "context=131072", "4096.0 MiB", "1024.0 MiB", "at most 32768", "16 layers x 2 x 8")) {
      assertTrue(refusal.contains(part), part + " in " + refusal);
    }
    assertEquals(1, refusal.lines().count());
    assertDoesNotThrow(() -> memory.requireFits(32_768, OptionalLong.of(1024 * MIB)));
    assertThrows(
        LlamaException.class, () -> memory.requireFits(32_769, OptionalLong.of(1024 * MIB)));
    assertDoesNotThrow(() -> memory.requireFits(131_072, OptionalLong.empty()));
    assertTrue(
        assertThrows(LlamaException.class, () -> memory.requireFits(1, OptionalLong.of(9)))
            .getMessage()
            .contains("not one position"));
  }
}

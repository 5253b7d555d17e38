package dev.quern.provider.scalar;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.data.Bf16;
import dev.quern.data.BlockFormat;
import dev.quern.data.F32Matrix;
import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import dev.quern.op.LinearKernel;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.provider.scalar.LinearReference.Quantized;
import dev.quern.testing.TestWeights;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

/// `int8-asym-row` where the order of KleidiAI's operations shows: operands on which ordinary ones
/// would round alike.
class KleidiModelTest {

  /// Scales of very different sizes, one-sided integers on both sides: every F32 addition rounds,
  /// and a block's sum times its scale needs more than 24 bits.
  @Property(tries = 100)
  void int4RoundsWhereKleidiAIDoes(@ForAll long seed) {
    try (Arena arena = Arena.ofConfined()) {
      Random random = new Random(seed);
      for (String id : List.of("INT4_B32", "INT4_B64", "INT4_B128", "INT4_B256")) {
        BlockFormat format = BlockFormat.byId(id).orElseThrow();
        int inputs = 1024;
        WeightMatrix w = TestWeights.random(format, 3, inputs, random, arena);
        for (long j = 0; j < w.data().byteSize(); j++) {
          w.data().set(JAVA_BYTE, j, (byte) (random.nextInt(4) | random.nextInt(4) << 4));
        }
        for (long b = 0; b < w.scales().byteSize(); b += 2) {
          float scale = Math.scalb(1 + random.nextFloat(), random.nextInt(-10, 10));
          w.scales().set(JAVA_SHORT_UNALIGNED, b, Bf16.fromFloat(scale));
        }
        F32Matrix x = Buffers.filled(arena, 1, inputs, 0, () -> random.nextFloat(0.7f, 1));
        x.set(0, random.nextInt(inputs), -0.3f);
        LinearSpec spec = new LinearSpec(format, 3, inputs, false, Set.of(Numerics.INT8_ASYM_ROW));
        LinearKernel kernel = Kernels.linear(spec, List.of(w));
        F32Matrix y = Buffers.marked(arena, 1, 3, 0);
        kernel.apply(x, y, Buffers.workspace(arena, kernel, 1, Workers.sequential()));

        Quantized q = LinearReference.asymmetric(Buffers.row(x, 0));
        for (int o = 0; o < 3; o++) {
          assertEquals(
              LinearReference.kleidiInt4(q, w, o, format.blockElements()), y.get(0, o), id);
        }
      }
    }
  }

  /// Ranges whose zero point is near a tie: its two formulas then differ by one.
  @Test
  void zeroPointsComeFromTheEndThatIsRepresentedBetter() {
    try (Arena arena = Arena.ofConfined()) {
      Random random = new Random(11);
      Int8Asym activations = new Int8Asym(2);
      MemorySegment scratch = arena.allocate(activations.bytes(), 64);
      F32Matrix x = Buffers.marked(arena, 1, 2, 0);
      int formulasDiffer = 0;
      for (int i = 0; i < 100_000; i++) {
        float range = 1 + random.nextFloat();
        float lo = -(random.nextInt(254) + 0.5f) * range / 255;
        x.set(0, 0, lo);
        x.set(0, 1, lo + range);
        activations.prepare(x, 0, scratch, 0);

        Quantized expected = LinearReference.asymmetric(Buffers.row(x, 0));
        assertEquals(expected.zero(), scratch.get(JAVA_INT, activations.zeroPoint()));
        assertEquals(expected.step()[0], scratch.get(JAVA_FLOAT, activations.step()));
        assertEquals(expected.q()[0], scratch.get(JAVA_BYTE, 0));
        assertEquals(expected.q()[1], scratch.get(JAVA_BYTE, 1));
        float inverse = 255f / (x.get(0, 1) - lo);
        double fromLow = Math.rint(-128f - lo * inverse);
        double fromHigh = Math.rint(127f - x.get(0, 1) * inverse);
        formulasDiffer += fromLow != fromHigh ? 1 : 0;
      }
      assertTrue(formulasDiffer > 100, "the formulas differed " + formulasDiffer + " times");
    }
  }

  /// A row that shows how a quantizer rounds: 2.5 becomes 3, so q = 3 - 128.
  @Test
  void roundsHalfAwayFromZero() {
    try (Arena arena = Arena.ofConfined()) {
      Int8Asym activations = new Int8Asym(3);
      MemorySegment scratch = arena.allocate(activations.bytes(), 64);
      float[] values = {0, 255, 2.5f};
      int[] next = {0};
      F32Matrix x = Buffers.filled(arena, 1, 3, 0, () -> values[next[0]++]);
      activations.prepare(x, 0, scratch, 0);
      assertEquals(1f, scratch.get(JAVA_FLOAT, activations.step()));
      assertEquals(-128, scratch.get(JAVA_INT, activations.zeroPoint()));
      assertEquals(-125, scratch.get(JAVA_BYTE, 2));
    }
  }
}

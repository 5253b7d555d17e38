package dev.quern.op;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.data.BlockFormat;
import dev.quern.data.KvFormat;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Reports and errors show a spec as text, so two that differ must not look alike.
class SpecTextTest {
  private static final Set<Numerics> EXACT = Set.of(Numerics.EXACT_F32);

  /// For each kind of spec one, then others that differ from it in one component each.
  static Stream<List<Object>> specs() {
    return Stream.of(
        List.of(
            new LinearSpec(BlockFormat.Q8_0, 8, 32, false, EXACT),
            new LinearSpec(BlockFormat.Q4_0, 8, 32, false, EXACT),
            new LinearSpec(BlockFormat.Q8_0, 9, 32, false, EXACT),
            new LinearSpec(BlockFormat.Q8_0, 8, 64, false, EXACT),
            new LinearSpec(BlockFormat.Q8_0, 8, 32, true, EXACT),
            new LinearSpec(BlockFormat.Q8_0, 8, 32, false, true, EXACT),
            new LinearSpec(
                BlockFormat.Q8_0, 8, 32, false, Set.of(Numerics.EXACT_F32, Numerics.INT8_SYM_32))),
        List.of(
            new AttentionSpec(4, 2, 8, 16, 0.5f, KvFormat.F16),
            new AttentionSpec(8, 2, 8, 16, 0.5f, KvFormat.F16),
            new AttentionSpec(4, 1, 8, 16, 0.5f, KvFormat.F16),
            new AttentionSpec(4, 2, 4, 16, 0.5f, KvFormat.F16),
            new AttentionSpec(4, 2, 8, 17, 0.5f, KvFormat.F16),
            new AttentionSpec(4, 2, 8, 16, 0.50001f, KvFormat.F16),
            new AttentionSpec(4, 2, 8, 16, 0.5f, KvFormat.F32),
            new AttentionSpec(4, 2, 8, 16, 0.5f, KvFormat.F16, 5, 0, 1),
            new AttentionSpec(4, 2, 8, 16, 0.5f, KvFormat.F16, 0, 50, 1),
            new AttentionSpec(4, 2, 8, 16, 0.5f, KvFormat.F16).withSequences(2)),
        List.of(
            RmsNormSpec.of(8, 1e-5f),
            RmsNormSpec.of(9, 1e-5f),
            RmsNormSpec.of(8, 1e-6f),
            RmsNormSpec.of(8, 1e-5f).withGroups(2)),
        List.of(
            new RopeSpec(4, 8, RopePairing.ADJACENT),
            new RopeSpec(5, 8, RopePairing.ADJACENT),
            new RopeSpec(4, 10, RopePairing.ADJACENT),
            new RopeSpec(4, 8, RopePairing.HALF_SPLIT)),
        List.of(
            SwiGluSpec.of(8),
            SwiGluSpec.of(9),
            SwiGluSpec.of(8).withActivation(Activation.GELU_TANH)));
  }

  @ParameterizedTest
  @MethodSource("specs")
  void whatDiffersReadsDifferently(List<Object> specs) {
    assertEquals(
        specs.getFirst().getClass().getRecordComponents().length + 1,
        specs.size(),
        "a case for each component of " + specs.getFirst().getClass());
    for (Object other : specs.subList(1, specs.size())) {
      assertNotEquals(specs.getFirst(), other);
      assertNotEquals(specs.getFirst().toString(), other.toString());
      assertTrue(other.toString().startsWith(specs.getFirst().getClass().getSimpleName() + "["));
    }
  }

  /// Whoever states nothing gets what was meant before; what is changed is that and nothing else.
  @Test
  void factoriesAndChanges() {
    LinearSpec linear = LinearSpec.of(BlockFormat.Q8_0, 8, 32);
    assertEquals(new LinearSpec(BlockFormat.Q8_0, 8, 32, false, EXACT), linear);
    assertEquals(
        new LinearSpec(BlockFormat.Q8_0, 9, 64, true, EXACT),
        linear.withShape(9, 64).withAccumulate(true));
    LinearSpec bias = linear.withBias(true);
    assertEquals(new LinearSpec(BlockFormat.Q8_0, 8, 32, false, true, EXACT), bias);
    assertEquals(
        new LinearSpec(BlockFormat.Q8_0, 9, 64, true, true, Set.of(Numerics.BF16)),
        bias.withShape(9, 64).withAccumulate(true).withTolerated(Set.of(Numerics.BF16)));
    assertEquals(linear, bias.withBias(false));
    AttentionSpec attention = AttentionSpec.of(4, 2, 16, 8, KvFormat.F16);
    assertEquals(new AttentionSpec(4, 2, 16, 8, 0.25f, KvFormat.F16), attention);
    assertEquals(
        new AttentionSpec(6, 3, 16, 9, 0.5f, KvFormat.F16),
        attention.withHeads(6, 3).withMaxPositions(9).withScale(0.5f));
    AttentionSpec gemma = attention.withWindow(5).withSoftCap(50);
    assertEquals(new AttentionSpec(4, 2, 16, 8, 0.25f, KvFormat.F16, 5, 50, 1), gemma);
    assertEquals(
        new AttentionSpec(6, 3, 16, 9, 0.5f, KvFormat.F16, 5, 50, 1),
        gemma.withHeads(6, 3).withMaxPositions(9).withScale(0.5f));
    AttentionSpec eight = attention.withSequences(8);
    assertEquals(
        gemma.withHeads(6, 3).withMaxPositions(9).withScale(0.5f).withSequences(8),
        eight.withHeads(6, 3).withMaxPositions(9).withScale(0.5f).withWindow(5).withSoftCap(50));
    assertEquals(attention, gemma.withWindow(0).withSoftCap(-0f));
    assertEquals(new RmsNormSpec(9, 1e-5f, 1), RmsNormSpec.of(8, 1e-5f).withWidth(9));
    RmsNormSpec groups = RmsNormSpec.of(8, 1e-5f).withGroups(4);
    assertEquals(new RmsNormSpec(8, 1e-5f, 4), groups);
    assertEquals(new RmsNormSpec(12, 1e-5f, 4), groups.withWidth(12));
    assertEquals(3, groups.withWidth(12).groupWidth());
    RopeSpec rope = RopeSpec.of(4, 8, RopePairing.HALF_SPLIT);
    assertEquals(new RopeSpec(5, 8, RopePairing.HALF_SPLIT), rope.withHeads(5));
    assertEquals(new SwiGluSpec(9, Activation.SILU), SwiGluSpec.of(8).withWidth(9));
    assertEquals(
        new SwiGluSpec(9, Activation.GELU_TANH),
        SwiGluSpec.of(8).withActivation(Activation.GELU_TANH).withWidth(9));
  }

  @Test
  void groupsDivideTheWidth() {
    RmsNormSpec norm = RmsNormSpec.of(8, 0);
    assertEquals(
        "rmsnorm: groups=3, expected a divisor of width=8",
        assertThrows(IllegalArgumentException.class, () -> norm.withGroups(3)).getMessage());
    assertEquals(
        "rmsnorm: groups=0, expected >= 1",
        assertThrows(IllegalArgumentException.class, () -> norm.withGroups(0)).getMessage());
    RmsNormSpec heads = norm.withGroups(4);
    assertThrows(IllegalArgumentException.class, () -> heads.withWidth(6));
  }

  /// Who asks for neither a window nor a cap reads of neither.
  @Test
  void aWindowAndACapAreNamedWhereThereAreAny() {
    AttentionSpec spec = AttentionSpec.of(4, 2, 16, 8, KvFormat.F16);
    String plain =
        "AttentionSpec[heads=4, kvHeads=2, headDim=16, maxPositions=8, scale=0.25, kv=F16";
    assertEquals(plain + "]", spec.toString());
    assertEquals(
        plain + ", window=3, softCap=50.0]", spec.withWindow(3).withSoftCap(50).toString());
  }

  @Test
  void aWindowBeginsSoFarBeforeItsQuery() {
    AttentionSpec spec = AttentionSpec.of(4, 2, 16, 8, KvFormat.F16);
    assertEquals(0, spec.firstVisible(7));
    assertEquals(7, spec.withWindow(1).firstVisible(7));
    assertEquals(0, spec.withWindow(3).firstVisible(2));
    assertEquals(1, spec.withWindow(3).firstVisible(3));
    assertEquals(0, spec.withWindow(Integer.MAX_VALUE).firstVisible(7));
  }

  @ParameterizedTest
  @ValueSource(floats = {-1, Float.NaN, Float.POSITIVE_INFINITY, 0x1p127f, Float.MIN_VALUE})
  void whatIsNoCapIsRefused(float cap) {
    AttentionSpec spec = AttentionSpec.of(4, 2, 16, 8, KvFormat.F16);
    String expected = "attention: softCap=" + cap + ", expected 2^-126 to 2^126, or 0 for none";
    assertEquals(
        expected,
        assertThrows(IllegalArgumentException.class, () -> spec.withSoftCap(cap)).getMessage());
    assertEquals(
        "attention: window=-1, expected a positive number of positions, or 0 for all",
        assertThrows(IllegalArgumentException.class, () -> spec.withWindow(-1)).getMessage());
  }
}

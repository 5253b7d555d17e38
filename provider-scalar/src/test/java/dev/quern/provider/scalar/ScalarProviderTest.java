package dev.quern.provider.scalar;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.data.BlockFormat;
import dev.quern.data.KvFormat;
import dev.quern.data.ScalePlane;
import dev.quern.op.AttentionSpec;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.spi.Availability;
import dev.quern.spi.Jit;
import dev.quern.spi.KernelProvider;
import dev.quern.spi.Offer;
import dev.quern.spi.Platform;
import dev.quern.spi.Spec;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class ScalarProviderTest {
  private static final Map<Numerics, Set<String>> INT8 =
      Map.of(
          Numerics.INT8_SYM_32, Set.of("Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "IQ4_NL", "MXFP4"),
          Numerics.INT8_SYM_256, Set.of("Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K"),
          Numerics.INT8_ASYM_ROW,
              Set.of("INT4_B32", "INT4_B64", "INT4_B128", "INT4_B256", "INT8_C"));

  private final ScalarProvider provider = new ScalarProvider();

  @Test
  void isFoundAsAService() {
    List<KernelProvider> found =
        ServiceLoader.load(KernelProvider.class).stream()
            .map(ServiceLoader.Provider::get)
            .collect(Collectors.toList());
    assertEquals(1, found.size());
    assertInstanceOf(ScalarProvider.class, found.getFirst());
    assertEquals("scalar", found.getFirst().name());
    assertEquals(0, found.getFirst().priority());
    assertEquals(Spec.VERSION, found.getFirst().specVersion());
  }

  @Test
  void isReadyEverywhere() {
    Platform platform =
        new Platform("plan9", "pdp11", Set.of(), Jit.INTERPRETER, Set.of(), Map.of());
    assertInstanceOf(Availability.Ready.class, provider.open(platform));
  }

  @Test
  void acceptsWhatItSaysForEveryFormatAndNumerics() {
    for (BlockFormat format : BlockFormat.standard()) {
      assertEquals(Numerics.EXACT_F32, accepted(format, Set.of(Numerics.EXACT_F32)));
      assertEquals(Numerics.EXACT_F32, accepted(format, Set.copyOf(Numerics.standard())));
      assertEquals(Numerics.BF16, accepted(format, Set.of(Numerics.BF16)));
      INT8.forEach((numerics, formats) -> {
        if (formats.contains(format.id())) {
          assertEquals(numerics, accepted(format, Set.of(numerics)));
        } else {
          String reason = declined(format, Set.of(numerics));
          assertTrue(reason.contains(format + " runs with exact-f32"), reason);
          assertTrue(reason.contains(numerics.id()), reason);
        }
      });
    }
    assertEquals(
        "Q4_0 runs with exact-f32, int8-sym-32 or bf16, and the spec tolerates [int8-asym-row]",
        declined(BlockFormat.Q4_0, Set.of(Numerics.INT8_ASYM_ROW)));
  }

  @Test
  void declinesUnknownFormats() {
    BlockFormat weights = new BlockFormat("IQ3_S", 256, 110, ScalePlane.INLINE);
    assertEquals("no codec for weight format IQ3_S", declined(weights, Set.of(Numerics.EXACT_F32)));

    AttentionSpec attention = new AttentionSpec(1, 1, 8, 16, 1f, new KvFormat("Q8_0", 1));
    assertEquals(
        new Offer.Declined<>("no kernel for a Q8_0 cache: F32 and F16 only"),
        provider.attention(attention));
  }

  private Numerics accepted(BlockFormat format, Set<Numerics> tolerated) {
    var offer = provider.linear(new LinearSpec(format, 3, 256, false, tolerated));
    var accepted = assertInstanceOf(Offer.Accepted.class, offer, () -> format + ": " + offer);
    assertEquals(1, accepted.variants().size());
    return ((Offer.Accepted<?>) accepted).variants().getFirst().numerics();
  }

  private String declined(BlockFormat format, Set<Numerics> tolerated) {
    var offer = provider.linear(new LinearSpec(format, 3, 256, false, tolerated));
    return assertInstanceOf(Offer.Declined.class, offer, () -> format + ": " + offer).reason();
  }
}

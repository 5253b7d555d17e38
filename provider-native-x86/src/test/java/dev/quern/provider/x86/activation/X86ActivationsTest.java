package dev.quern.provider.x86.activation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.data.KvFormat;
import dev.quern.op.Activation;
import dev.quern.op.AttentionSpec;
import dev.quern.op.Numerics;
import dev.quern.op.RmsNormSpec;
import dev.quern.op.RopePairing;
import dev.quern.op.RopeSpec;
import dev.quern.op.SwiGluSpec;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.interpreter.InterpretedRoutine;
import dev.quern.spi.Offer;
import dev.quern.spi.Variant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class X86ActivationsTest {
  private static AttentionSpec attention(int headDim, KvFormat kv) {
    return new AttentionSpec(4, 2, headDim, 64, 0.1f, kv);
  }

  private static String answer(Offer<?> offer) {
    return switch (offer) {
      case Offer.Accepted<?> a -> {
        Variant variant = a.variants().getFirst();
        assertEquals(
            List.of(new Variant(variant.name(), 1, Numerics.EXACT_F32, true)), a.variants());
        yield variant.name();
      }
      case Offer.Declined<?> d -> d.reason();
    };
  }

  /// One variant for all numbers of rows: a row's bits don't depend on it.
  @Test
  void variants() {
    X86Activations wide = new X86Activations(CpuRow.AMX, InterpretedRoutine::loadWide);
    assertEquals("rmsnorm-avx512", answer(wide.rmsNorm(RmsNormSpec.of(7, 0))));
    assertEquals("rmsnorm-avx512", answer(wide.rmsNorm(RmsNormSpec.of(8, 0).withGroups(4))));
    assertEquals("swiglu-avx512", answer(wide.swiGlu(SwiGluSpec.of(7))));
    assertEquals("attention-f16-64-avx512", answer(wide.attention(attention(64, KvFormat.F16))));
    for (CpuRow row : List.of(CpuRow.AVX_VNNI, CpuRow.AVX2)) {
      X86Activations narrow = new X86Activations(row, InterpretedRoutine::loadWide);
      assertEquals("attention-f32-7-avx2", answer(narrow.attention(attention(7, KvFormat.F32))));
      assertEquals(
          "rope-adjacent-avx2", answer(narrow.rope(new RopeSpec(1, 6, RopePairing.ADJACENT))));
      assertEquals(
          "rope-half-split-avx2", answer(narrow.rope(new RopeSpec(1, 6, RopePairing.HALF_SPLIT))));
    }
  }

  @Test
  void reasonsToDecline() {
    X86Activations all = new X86Activations(CpuRow.AVX2, InterpretedRoutine::loadWide);
    assertEquals(
        "no kernel for a KV cache of Q8",
        answer(all.attention(attention(64, new KvFormat("Q8", 1)))));
    assertEquals(
        "headDim=1025, and code is for 1024 at most",
        answer(all.attention(attention(1025, KvFormat.F16))));
    assertEquals(
        "no machine code for GELU_TANH: SILU only",
        answer(all.swiGlu(SwiGluSpec.of(8).withActivation(Activation.GELU_TANH))));
    assertTrue(answer(all.attention(attention(1024, KvFormat.F16))).startsWith("attention"));
    assertEquals(
        "window=4096, and code is for all positions before",
        answer(all.attention(attention(64, KvFormat.F16).withWindow(4096))));
    assertEquals(
        "softCap=50.0, and code is for scores without a cap",
        answer(all.attention(attention(64, KvFormat.F16).withSoftCap(50))));
  }

  /// Of RMSNorm it knows no shapes, of attention the size of heads alone.
  @Test
  void codeIsAssembledOnce() {
    List<Integer> loads = new ArrayList<>();
    X86Activations all =
        new X86Activations(
            CpuRow.AVX2,
            codes -> {
              loads.add(codes.size());
              return InterpretedRoutine.loadWide(codes);
            });
    all.rmsNorm(RmsNormSpec.of(7, 0));
    all.rmsNorm(RmsNormSpec.of(9, 1));
    all.attention(attention(8, KvFormat.F16));
    all.attention(new AttentionSpec(1, 1, 8, 9, 2, KvFormat.F16));
    all.attention(attention(8, KvFormat.F32));
    assertEquals(List.of(1, 4, 4), loads);
  }
}

package dev.quern.provider.scalar;

import dev.quern.data.BlockCodec;
import dev.quern.data.KvFormat;
import dev.quern.op.AttentionKernel;
import dev.quern.op.AttentionSpec;
import dev.quern.op.LinearPacker;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.op.RmsNormKernel;
import dev.quern.op.RmsNormSpec;
import dev.quern.op.RopeKernel;
import dev.quern.op.RopeSpec;
import dev.quern.op.SwiGluKernel;
import dev.quern.op.SwiGluSpec;
import dev.quern.spi.Availability;
import dev.quern.spi.KernelProvider;
import dev.quern.spi.KernelSet;
import dev.quern.spi.Offer;
import dev.quern.spi.Platform;
import dev.quern.spi.Spec;
import dev.quern.spi.Variant;
import java.util.Locale;
import java.util.Optional;

/// Plain Java for every operator and every standard format, on every platform, with no flags. It
/// follows the formulas of SPEC.md, and is what other providers are completed with. Nothing depends
/// on the platform, so it is its own set of kernels.
public final class ScalarProvider implements KernelProvider, KernelSet {
  @Override
  public String name() {
    return "scalar";
  }

  @Override
  public int priority() {
    return 0;
  }

  @Override
  public int specVersion() {
    return Spec.VERSION;
  }

  @Override
  public Availability open(Platform platform) {
    return new Availability.Ready(this, "plain Java");
  }

  /// Runs every standard format: with exact F32 arithmetic if the spec tolerates it, else with the
  /// int8 activations that fit the format, else in BF16.
  @Override
  public Offer<LinearPacker> linear(LinearSpec spec) {
    Optional<BlockCodec> codec = BlockCodec.of(spec.weights());
    if (codec.isEmpty()) {
      return Offer.declined("no codec for weight format " + spec.weights());
    }
    if (spec.tolerated().contains(Numerics.EXACT_F32)) {
      return linear(spec, new ExactF32(codec.get(), spec.inputs()), Numerics.EXACT_F32);
    }
    Optional<IntegerFormat> format = IntegerFormat.of(spec.weights());
    if (format.isPresent() && spec.tolerated().contains(format.get().activations())) {
      Numerics numerics = format.get().activations();
      return linear(spec, Int8.arithmetic(format.get(), spec.inputs()), numerics);
    }
    if (spec.tolerated().contains(Numerics.BF16)) {
      return linear(spec, new Bf16Rounded(codec.get(), spec.inputs()), Numerics.BF16);
    }
    return Offer.declined(
        String.format(
            Locale.ROOT,
            "%s runs with %s, and the spec tolerates %s",
            spec.weights(),
            format
                .map(f -> Numerics.EXACT_F32 + ", " + f.activations() + " or " + Numerics.BF16)
                .orElse(Numerics.EXACT_F32 + " or " + Numerics.BF16),
            spec.tolerated()));
  }

  private static Offer<LinearPacker> linear(
      LinearSpec spec, LinearArithmetic arithmetic, Numerics numerics) {
    return accepted(new ScalarPacker(spec, arithmetic), numerics);
  }

  @Override
  public Offer<AttentionKernel> attention(AttentionSpec spec) {
    if (!spec.kv().equals(KvFormat.F32) && !spec.kv().equals(KvFormat.F16)) {
      return Offer.declined(
          String.format(Locale.ROOT, "no kernel for a %s cache: F32 and F16 only", spec.kv()));
    }
    return accepted(new ScalarAttention(spec), Numerics.EXACT_F32);
  }

  @Override
  public Offer<RmsNormKernel> rmsNorm(RmsNormSpec spec) {
    return accepted(new ScalarRmsNorm(spec), Numerics.EXACT_F32);
  }

  @Override
  public Offer<RopeKernel> rope(RopeSpec spec) {
    return accepted(new ScalarRope(spec), Numerics.EXACT_F32);
  }

  @Override
  public Offer<SwiGluKernel> swiGlu(SwiGluSpec spec) {
    return accepted(new ScalarSwiGlu(spec), Numerics.EXACT_F32);
  }

  private static <K> Offer<K> accepted(K kernel, Numerics numerics) {
    return Offer.accepted(kernel, new Variant("plain-java", 1, numerics, true));
  }
}

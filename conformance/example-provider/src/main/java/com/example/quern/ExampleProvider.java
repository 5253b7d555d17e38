package com.example.quern;

import dev.quern.data.BlockFormat;
import dev.quern.op.Activation;
import dev.quern.op.LinearPacker;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.op.RmsNormKernel;
import dev.quern.op.RmsNormSpec;
import dev.quern.op.SwiGluKernel;
import dev.quern.op.SwiGluSpec;
import dev.quern.spi.Availability;
import dev.quern.spi.KernelProvider;
import dev.quern.spi.KernelSet;
import dev.quern.spi.Offer;
import dev.quern.spi.Platform;
import dev.quern.spi.Spec;
import dev.quern.spi.Variant;

/// RMSNorm, SwiGLU and F32 weights, in plain loops.
public final class ExampleProvider implements KernelProvider, KernelSet {
  @Override
  public String name() {
    return "example";
  }

  @Override
  public int priority() {
    return 10;
  }

  @Override
  public int specVersion() {
    return Spec.VERSION;
  }

  @Override
  public Availability open(Platform platform) {
    return new Availability.Ready(this, "plain loops");
  }

  @Override
  public Offer<SwiGluKernel> swiGlu(SwiGluSpec spec) {
    return spec.activation() == Activation.SILU
        ? accepted(new ExampleSwiGlu(spec))
        : Offer.declined("no kernel for " + spec.activation() + ": SILU only");
  }

  @Override
  public Offer<RmsNormKernel> rmsNorm(RmsNormSpec spec) {
    return spec.groups() == 1 ? accepted(new ExampleRmsNorm(spec)) : Offer.declined("no groups");
  }

  private static <K> Offer<K> accepted(K kernel) {
    return Offer.accepted(kernel, new Variant("plain-loops", 1, Numerics.EXACT_F32));
  }

  @Override
  public Offer<LinearPacker> linear(LinearSpec spec) {
    if (!spec.weights().equals(BlockFormat.F32)) {
      return Offer.declined("no kernel for weight format " + spec.weights() + ": F32 only");
    } else if (!spec.tolerated().contains(Numerics.EXACT_F32)) {
      return Offer.declined("exact-f32 only, and the spec tolerates " + spec.tolerated());
    } else if (spec.bias()) {
      return Offer.declined("no bias");
    }
    return accepted((stacked, packed, workers) -> new ExampleLinear(spec, stacked));
  }
}

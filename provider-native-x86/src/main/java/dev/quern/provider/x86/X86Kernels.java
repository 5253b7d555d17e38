package dev.quern.provider.x86;

import dev.quern.op.AttentionKernel;
import dev.quern.op.AttentionSpec;
import dev.quern.op.LinearPacker;
import dev.quern.op.LinearSpec;
import dev.quern.op.RmsNormKernel;
import dev.quern.op.RmsNormSpec;
import dev.quern.op.RopeKernel;
import dev.quern.op.RopeSpec;
import dev.quern.op.SwiGluKernel;
import dev.quern.op.SwiGluSpec;
import dev.quern.spi.BiasedLinear;
import dev.quern.spi.KernelSet;
import dev.quern.spi.Offer;
import java.util.function.Function;

/// The provider's offers on one platform. Code lives as long as a kernel of it is reachable, so
/// closing only lets go of it.
final class X86Kernels implements KernelSet {
  /// Null once this is closed.
  private volatile ProvenOperators operators;

  X86Kernels(ProvenOperators operators) {
    this.operators = operators;
  }

  @Override
  public Offer<LinearPacker> linear(LinearSpec spec) {
    return offer(o -> BiasedLinear.offer(spec, o::linear));
  }

  @Override
  public Offer<AttentionKernel> attention(AttentionSpec spec) {
    return offer(o -> o.attention(spec));
  }

  @Override
  public Offer<RmsNormKernel> rmsNorm(RmsNormSpec spec) {
    return offer(o -> o.rmsNorm(spec));
  }

  @Override
  public Offer<RopeKernel> rope(RopeSpec spec) {
    return offer(o -> o.rope(spec));
  }

  @Override
  public Offer<SwiGluKernel> swiGlu(SwiGluSpec spec) {
    return offer(o -> o.swiGlu(spec));
  }

  private <K> Offer<K> offer(Function<ProvenOperators, Offer<K>> ask) {
    ProvenOperators open = operators;
    return open == null ? Offer.declined("it is closed") : ask.apply(open);
  }

  @Override
  public void close() {
    operators = null;
  }
}

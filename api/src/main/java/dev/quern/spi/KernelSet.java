package dev.quern.spi;

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

/// What a provider offers on one platform, from [KernelProvider#open] to [#close()]. Whatever the
/// provider found out there (a library, the CPU's row of a table, its own properties) is state of
/// this object, so that sets of several platforms can be open at once.
///
/// A new operator arrives as one more default method here, so old providers go on working.
/// Thread-safe.
///
/// @since 0.1
/// @stability contract
public interface KernelSet extends AutoCloseable {
  /// Offers a linear operator.
  default Offer<LinearPacker> linear(LinearSpec spec) {
    return Offer.declined("not implemented");
  }

  /// Offers an attention operator.
  default Offer<AttentionKernel> attention(AttentionSpec spec) {
    return Offer.declined("not implemented");
  }

  /// Offers an RMSNorm operator.
  default Offer<RmsNormKernel> rmsNorm(RmsNormSpec spec) {
    return Offer.declined("not implemented");
  }

  /// Offers a RoPE operator.
  default Offer<RopeKernel> rope(RopeSpec spec) {
    return Offer.declined("not implemented");
  }

  /// Offers a SwiGLU operator.
  default Offer<SwiGluKernel> swiGlu(SwiGluSpec spec) {
    return Offer.declined("not implemented");
  }

  /// Gives back what was opened. Harmless where it is repeated, and to other sets; it never throws.
  /// By then no call of a kernel and no `pack` runs, and none that was taken from here is used
  /// again. The memory of weights is the caller's and not concerned (SPEC.md, P22).
  @Override
  default void close() {}
}

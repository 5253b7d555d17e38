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

/// A set of kernels, found by [java.util.ServiceLoader]. Its JAR names it both in `module-info`
/// (`provides dev.quern.spi.KernelProvider with ...`) and in `META-INF/services`, and so works on
/// the module path and on the class path.
///
/// The class itself must load anywhere: it touches no incubator type and no native symbol. A new
/// operator arrives as one more default method here, so old providers go on working.
public interface KernelProvider {
  /// The name that users select it by: a letter, then letters, digits, `-` or `_`, all lower case.
  String name();

  /// Its place under `auto`, the highest first: 0 scalar, 100 vector, 200 native. Two ready
  /// providers with the same priority are an error.
  int priority();

  /// Always `return Spec.VERSION;`, which records what the JAR was built against.
  int specVersion();

  /// Whether it can run here. Cheap and total: it never throws.
  Availability availability(Platform platform);

  /// Offers a linear operator. Called only after [#availability] returned ready, as are the others.
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
}

package dev.quern.conformance;

import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;
import dev.quern.op.AttentionKernel;
import dev.quern.op.AttentionSpec;
import dev.quern.op.LinearKernel;
import dev.quern.op.LinearPacker;
import dev.quern.op.LinearSpec;
import dev.quern.op.RmsNormKernel;
import dev.quern.op.RmsNormSpec;
import dev.quern.op.RopeKernel;
import dev.quern.op.RopeSpec;
import dev.quern.op.SwiGluKernel;
import dev.quern.op.SwiGluSpec;
import dev.quern.provider.scalar.ScalarProvider;
import dev.quern.spi.Availability;
import dev.quern.spi.KernelProvider;
import dev.quern.spi.KernelSet;
import dev.quern.spi.Offer;
import dev.quern.spi.Platform;
import java.util.function.UnaryOperator;

/// The scalar provider under another name, for subclasses that break one thing of it.
public class WrappedProvider implements KernelProvider, KernelSet {
  private final ScalarProvider scalar = new ScalarProvider();

  @Override
  public String name() {
    return "broken";
  }

  @Override
  public int priority() {
    return 1;
  }

  @Override
  public int specVersion() {
    return scalar.specVersion();
  }

  @Override
  public Availability open(Platform platform) {
    return new Availability.Ready(this, "plain Java");
  }

  @Override
  public Offer<LinearPacker> linear(LinearSpec spec) {
    return spec.bias() ? Offer.declined("no faults for a bias") : scalar.linear(spec);
  }

  @Override
  public Offer<AttentionKernel> attention(AttentionSpec spec) {
    return scalar.attention(spec);
  }

  @Override
  public Offer<RmsNormKernel> rmsNorm(RmsNormSpec spec) {
    return scalar.rmsNorm(spec);
  }

  @Override
  public Offer<RopeKernel> rope(RopeSpec spec) {
    return scalar.rope(spec);
  }

  @Override
  public Offer<SwiGluKernel> swiGlu(SwiGluSpec spec) {
    return scalar.swiGlu(spec);
  }

  /// What a broken linear kernel does in place of the right one.
  interface LinearFault {
    void apply(LinearKernel right, F32Matrix x, F32Matrix y, Workspace w);
  }

  /// A provider whose linear kernels do something else.
  static KernelProvider linear(LinearFault fault) {
    return new WrappedProvider() {
      @Override
      public Offer<LinearPacker> linear(LinearSpec spec) {
        return broken(super.linear(spec), fault);
      }
    };
  }

  /// The offer with a kernel in it that does something else.
  static Offer<LinearPacker> broken(Offer<LinearPacker> offer, LinearFault fault) {
    return map(
        offer,
        packer ->
            (stacked, packed, workers) -> broken(packer.pack(stacked, packed, workers), fault));
  }

  /// The kernel, that does something else.
  static LinearKernel broken(LinearKernel right, LinearFault fault) {
    return new LinearKernel() {
      @Override
      public boolean retainsSource() {
        return right.retainsSource();
      }

      @Override
      public long scratchBytes(int rows, int parallelism) {
        return right.scratchBytes(rows, parallelism);
      }

      @Override
      public void apply(F32Matrix x, F32Matrix y, Workspace w) {
        fault.apply(right, x, y, w);
      }
    };
  }

  /// The offer with another kernel in it.
  public static <K> Offer<K> map(Offer<K> offer, UnaryOperator<K> change) {
    return switch (offer) {
      case Offer.Accepted<K> a -> new Offer.Accepted<>(change.apply(a.kernel()), a.variants());
      case Offer.Declined<K> d -> d;
    };
  }
}

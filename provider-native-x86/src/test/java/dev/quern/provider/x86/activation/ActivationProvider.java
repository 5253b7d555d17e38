package dev.quern.provider.x86.activation;

import dev.quern.op.AttentionKernel;
import dev.quern.op.AttentionSpec;
import dev.quern.op.RmsNormKernel;
import dev.quern.op.RmsNormSpec;
import dev.quern.op.RopeKernel;
import dev.quern.op.RopeSpec;
import dev.quern.op.SwiGluKernel;
import dev.quern.op.SwiGluSpec;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.interpreter.InterpretedRoutine;
import dev.quern.spi.Availability;
import dev.quern.spi.KernelProvider;
import dev.quern.spi.KernelSet;
import dev.quern.spi.Offer;
import dev.quern.spi.Platform;
import dev.quern.spi.Spec;

/// The operators without a weight matrix, of one row of the table of CPUs, for the suite.
public final class ActivationProvider implements KernelProvider, KernelSet {
  private final CpuRow row;
  private final X86Activations activations;

  public ActivationProvider(CpuRow row) {
    this(row, new X86Activations(row));
  }

  private ActivationProvider(CpuRow row, X86Activations activations) {
    this.row = row;
    this.activations = activations;
  }

  /// On code that is interpreted.
  static ActivationProvider interpreted(CpuRow row) {
    return new ActivationProvider(row, new X86Activations(row, InterpretedRoutine::loadWide));
  }

  @Override
  public String name() {
    return "x86";
  }

  @Override
  public int priority() {
    return 200;
  }

  @Override
  public int specVersion() {
    return Spec.VERSION;
  }

  @Override
  public Availability open(Platform platform) {
    return new Availability.Ready(this, "CPU row " + row);
  }

  @Override
  public Offer<AttentionKernel> attention(AttentionSpec spec) {
    return activations.attention(spec);
  }

  @Override
  public Offer<RmsNormKernel> rmsNorm(RmsNormSpec spec) {
    return activations.rmsNorm(spec);
  }

  @Override
  public Offer<RopeKernel> rope(RopeSpec spec) {
    return activations.rope(spec);
  }

  @Override
  public Offer<SwiGluKernel> swiGlu(SwiGluSpec spec) {
    return activations.swiGlu(spec);
  }
}

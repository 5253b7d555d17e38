package dev.quern.provider.x86.linear;

import dev.quern.op.LinearPacker;
import dev.quern.op.LinearSpec;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.spi.Availability;
import dev.quern.spi.BiasedLinear;
import dev.quern.spi.KernelProvider;
import dev.quern.spi.KernelSet;
import dev.quern.spi.Offer;
import dev.quern.spi.Platform;
import dev.quern.spi.Spec;
import java.util.function.Function;

/// The linear operators of one row of the table of CPUs, for the suite.
public final class LinearProvider implements KernelProvider, KernelSet {
  private final CpuRow row;
  private final Function<LinearSpec, Offer<LinearPacker>> linears;

  public LinearProvider(CpuRow row) {
    this(row, new X86Linears(row)::offer);
  }

  LinearProvider(CpuRow row, Function<LinearSpec, Offer<LinearPacker>> linears) {
    this.row = row;
    this.linears = linears;
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
  public Offer<LinearPacker> linear(LinearSpec spec) {
    return BiasedLinear.offer(spec, linears);
  }
}

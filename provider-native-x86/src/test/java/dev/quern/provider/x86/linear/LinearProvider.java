package dev.quern.provider.x86.linear;

import dev.quern.KernelOptions;
import dev.quern.conformance.Selection;
import dev.quern.conformance.Support;
import dev.quern.conformance.Target;
import dev.quern.conformance.testing.SuitePart;
import dev.quern.data.BlockFormat;
import dev.quern.op.LinearPacker;
import dev.quern.op.LinearSpec;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.linear.int8.Int8Linears;
import dev.quern.spi.Availability;
import dev.quern.spi.BiasedLinear;
import dev.quern.spi.KernelProvider;
import dev.quern.spi.KernelSet;
import dev.quern.spi.Offer;
import dev.quern.spi.Platform;
import dev.quern.spi.Spec;
import java.util.List;
import java.util.Set;
import java.util.function.Function;

/// The linear operators of one row of the table of CPUs, for the suite.
public final class LinearProvider implements KernelProvider, KernelSet {
  /// Formats that are floats, and one of each kind of blocks: bits are compared for all.
  public static final List<BlockFormat> FORMATS =
      List.of(
          BlockFormat.F32,
          BlockFormat.F16,
          BlockFormat.BF16,
          BlockFormat.Q4_0,
          BlockFormat.Q5_K,
          BlockFormat.Q6_K,
          BlockFormat.INT4_B64,
          BlockFormat.INT8_C);

  private final CpuRow row;
  private final Function<LinearSpec, Offer<LinearPacker>> linears;

  public LinearProvider(CpuRow row) {
    this(row, new Int8Linears(row)::offer);
  }

  public LinearProvider(CpuRow row, Function<LinearSpec, Offer<LinearPacker>> linears) {
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

  /// Runs the suite on a format.
  ///
  /// @param support what is declared
  /// @param rules empty for all
  public void check(String support, BlockFormat format, int tries, Set<String> rules) {
    Target target =
        new Target(
            this,
            KernelOptions.fromSystem().providersPlatform(),
            Support.parse("the linear operators", support));
    Selection selection = new Selection(Set.of("linear"), Set.of(format.id()), rules);
    SuitePart.check(format + " on " + target.availability(), target, selection, tries);
  }
}

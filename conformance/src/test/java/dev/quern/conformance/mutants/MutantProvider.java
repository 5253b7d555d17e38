package dev.quern.conformance.mutants;

import dev.quern.conformance.Support;
import dev.quern.conformance.Target;
import dev.quern.data.BlockCodec;
import dev.quern.data.BlockFormat;
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
import java.util.List;
import java.util.Locale;

/// A small provider that keeps every rule, and breaks one on demand: invariant kernels in plain
/// Java, every weight format under exact-f32, three of them with int8 activations too.
final class MutantProvider implements KernelProvider, KernelSet {
  /// Rows from which the int8 variant runs, where the spec tolerates both.
  static final int INT8_MIN_ROWS = 4;

  private final Fault fault;
  private int offers; // OFFER_UNSTABLE
  private Platform last; // LAST_PLATFORM_DECIDES
  private boolean closed; // CLOSE_ENDS_ALL

  MutantProvider(Fault fault) {
    this.fault = fault;
  }

  /// A fault's provider, on this machine, with its declaration.
  static Target target(Fault fault) {
    Target target = Target.here(new MutantProvider(fault));
    if (fault != Fault.DECLARATION_LACKS) {
      return target;
    }
    Support lacking = Support.parse("mutant.support", "rope adjacent");
    return new Target(target.provider(), target.platform(), lacking);
  }

  @Override
  public String name() {
    return fault == Fault.NAME_UPPER_CASE ? "Mutant" : "mutant";
  }

  @Override
  public int priority() {
    return 1;
  }

  @Override
  public int specVersion() {
    return fault == Fault.NEWER_SPEC ? Spec.VERSION + 1 : Spec.VERSION;
  }

  @Override
  public Availability open(Platform platform) {
    if (fault == Fault.AVAILABILITY_THROWS && platform.os().equals("aix")) {
      throw new IllegalArgumentException("os=" + platform.os());
    } else if (fault == Fault.AVAILABILITY_WITHOUT_REASON && platform.os().equals("macos")) {
      return new Availability.Unavailable("", "");
    }
    last = platform;
    closed = false;
    if (fault == Fault.CLOSE_TWICE_THROWS) {
      return new Availability.Ready(new ClosedOnce(), fault.id());
    }
    return new Availability.Ready(this, fault.id());
  }

  @Override
  public void close() {
    closed = true;
  }

  private static final class ClosedOnce implements KernelSet {
    private boolean closed;

    @Override
    public void close() {
      if (closed) {
        throw new IllegalStateException("closed already");
      }
      closed = true;
    }
  }

  @Override
  public Offer<LinearPacker> linear(LinearSpec spec) {
    boolean unknown = BlockCodec.of(spec.weights()).isEmpty();
    if (unknown && fault == Fault.OFFER_THROWS) {
      throw new UnsupportedOperationException("weights=" + spec.weights());
    } else if (unknown || fault == Fault.DECLARED_LOST && spec.weights().equals(BlockFormat.Q5_K)) {
      return Offer.declined("no kernel for weight format " + spec.weights());
    }
    Numerics int8 = IntegerRows.numerics(spec.weights());
    boolean takesInt8 =
        int8 != null && (spec.tolerated().contains(int8) || fault == Fault.NOT_TOLERATED);
    boolean takesExact = spec.tolerated().contains(Numerics.EXACT_F32);
    if (takesExact && takesInt8) {
      int from = fault == Fault.MIN_ROWS_LIE ? INT8_MIN_ROWS - 1 : INT8_MIN_ROWS;
      return new Offer.Accepted<>(
          packer(spec, from),
          List.of(
              new Variant("exact", 1, Numerics.EXACT_F32, fault == Fault.MIXED_NUMERICS),
              new Variant("int8", INT8_MIN_ROWS, int8, fault == Fault.MIXED_NUMERICS)));
    } else if (takesInt8) {
      return Offer.accepted(packer(spec, 1), new Variant("int8", 1, int8, true));
    } else if (takesExact) {
      boolean lies = fault == Fault.NUMERICS_LIE && spec.weights().equals(BlockFormat.Q4_0);
      return exact(packer(spec, lies ? 1 : Integer.MAX_VALUE));
    }
    return fault == Fault.OFFER_NULL
        ? null
        : Offer.declined(
            String.format(
                Locale.ROOT,
                "%s runs with %s, and the spec tolerates %s",
                spec.weights(),
                int8 == null ? Numerics.EXACT_F32 : Numerics.EXACT_F32 + " or " + int8,
                spec.tolerated()));
  }

  private LinearPacker packer(LinearSpec spec, int int8From) {
    return new MutantPacker(fault, spec, int8From);
  }

  @Override
  public Offer<AttentionKernel> attention(AttentionSpec spec) {
    if (!MutantAttention.FORMATS.contains(spec.kv()) && fault != Fault.ACCEPTS_UNKNOWN) {
      return Offer.declined(String.format(Locale.ROOT, "no kernel for a %s cache", spec.kv()));
    }
    return exact(new MutantAttention(fault, spec));
  }

  @Override
  public Offer<RmsNormKernel> rmsNorm(RmsNormSpec spec) {
    return exact(new MutantRmsNorm(fault, spec));
  }

  @Override
  public Offer<RopeKernel> rope(RopeSpec spec) {
    if (fault == Fault.OFFER_UNSTABLE && ++offers % 2 == 0) {
      return Offer.declined("not now");
    }
    return exact(new MutantRope(fault, spec));
  }

  @Override
  public Offer<SwiGluKernel> swiGlu(SwiGluSpec spec) {
    if (fault == Fault.LAST_PLATFORM_DECIDES && last.cpuFeatures().isEmpty()
        || fault == Fault.CLOSE_ENDS_ALL && closed) {
      return Offer.declined("no kernel for this platform");
    }
    return exact(new MutantSwiGlu(fault, spec));
  }

  private <K> Offer<K> exact(K kernel) {
    Variant exact = new Variant("exact", 1, Numerics.EXACT_F32, true);
    return fault.rule().equals("P21")
        ? new Offer.Accepted<>(
            kernel, List.of(exact, new Variant("batch", 2, Numerics.EXACT_F32, true)))
        : Offer.accepted(kernel, exact);
  }
}

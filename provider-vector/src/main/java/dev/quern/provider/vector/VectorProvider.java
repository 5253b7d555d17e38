package dev.quern.provider.vector;

import static java.util.stream.Collectors.toSet;

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
import dev.quern.spi.Jit;
import dev.quern.spi.KernelProvider;
import dev.quern.spi.KernelSet;
import dev.quern.spi.Offer;
import dev.quern.spi.Platform;
import dev.quern.spi.Spec;
import dev.quern.spi.Variant;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/// Kernels on the Java Vector API, for every operator and every standard format. Runs where C2
/// turns vector code into vector instructions, and nowhere else: uncompiled, or compiled by C1, it
/// would be many times slower than plain Java. Its kernels depend on the JVM alone, so it is its
/// own set of them.
public final class VectorProvider implements KernelProvider, KernelSet {
  private static final String MODULE = "jdk.incubator.vector";
  private static final int MIN_BITS = 128;

  @Override
  public String name() {
    return "vector";
  }

  @Override
  public int priority() {
    return 100;
  }

  @Override
  public int specVersion() {
    return Spec.VERSION;
  }

  @Override
  public Availability open(Platform platform) {
    if (!platform.modules().contains(MODULE)) {
      return new Availability.Unavailable(
          "the module " + MODULE + " is not loaded", "start the JVM with --add-modules " + MODULE);
    }
    // Without it, each lane of a fused multiply-add is computed with BigDecimal.
    if (platform.arch().equals("x86_64")
        && !platform.cpuFeatures().isEmpty()
        && !platform.cpuFeatures().contains("fma")) {
      return new Availability.Unavailable("the CPU has no fused multiply-add (fma)", "");
    }
    Optional<Availability.Unavailable> flag = JvmFlags.reason(platform);
    if (flag.isPresent()) {
      return flag.get();
    }
    if (platform.jit() != Jit.C2) {
      return new Availability.Unavailable(
          "vector code needs the C2 compiler, and this JVM runs "
              + switch (platform.jit()) {
                case C1 -> "C1 alone";
                case INTERPRETER -> "the interpreter";
                default -> "a compiler of which nothing is known";
              },
          "use a HotSpot JVM without -Xint, -client and -XX:TieredStopAtLevel");
    }
    return width();
  }

  @Override
  public Offer<LinearPacker> linear(LinearSpec spec) {
    Optional<LinearFormat> format = LinearFormat.of(spec.weights());
    if (format.isEmpty()) {
      return Offer.declined("no decoder for weight format " + spec.weights());
    }
    if (!spec.tolerated().contains(Numerics.EXACT_F32)) {
      return Offer.declined(
          String.format(
              Locale.ROOT,
              "runs with %s alone, and the spec tolerates %s",
              Numerics.EXACT_F32,
              spec.tolerated()));
    }
    Optional<PanelFormat> panel = PanelFormat.of(spec.weights());
    if (panel.isPresent() && spec.tolerated().containsAll(numerics(panel.get()))) {
      return new Offer.Accepted<>(
          (stacked, packed, workers) ->
              new PanelLinear(
                  spec,
                  WeightPanels.pack(
                      panel.get(), spec.outputs(), spec.inputs(), stacked, packed, workers)),
          PanelLinear.variants(panel.get()));
    }
    return new Offer.Accepted<>(
        (stacked, packed, workers) -> new VectorLinear(spec, format.get(), stacked, workers),
        VectorLinear.variants());
  }

  private static Set<Numerics> numerics(PanelFormat format) {
    return PanelLinear.variants(format).stream().map(Variant::numerics).collect(toSet());
  }

  @Override
  public Offer<AttentionKernel> attention(AttentionSpec spec) {
    if (!spec.kv().equals(KvFormat.F32) && !spec.kv().equals(KvFormat.F16)) {
      return Offer.declined(
          String.format(Locale.ROOT, "no kernel for a %s cache: F32 and F16 only", spec.kv()));
    }
    return new Offer.Accepted<>(new VectorAttention(spec), VectorAttention.variants());
  }

  @Override
  public Offer<RmsNormKernel> rmsNorm(RmsNormSpec spec) {
    return accepted(new VectorRmsNorm(spec));
  }

  @Override
  public Offer<RopeKernel> rope(RopeSpec spec) {
    return accepted(new VectorRope(spec));
  }

  @Override
  public Offer<SwiGluKernel> swiGlu(SwiGluSpec spec) {
    return accepted(new VectorSwiGlu(spec));
  }

  private static <K> Offer<K> accepted(K kernel) {
    return Offer.accepted(kernel, new Variant("f32-lanes", 1, Numerics.EXACT_F32));
  }

  private Availability width() {
    int bits;
    try {
      bits = VectorWidth.preferredBits();
    } catch (LinkageError e) { // the platform names a module that this JVM does not have
      return new Availability.Unavailable(
          "the module " + MODULE + " can't be used: " + e,
          "start the JVM with --add-modules " + MODULE);
    }
    return bits < MIN_BITS
        ? new Availability.Unavailable(
            String.format(
                Locale.ROOT,
                "the JVM prefers vectors of %d bits, expected at least %d",
                bits,
                MIN_BITS),
            "")
        : new Availability.Ready(this, bits + "-bit vectors");
  }
}

package dev.quern.provider.vector;

import dev.quern.data.KvFormat;
import dev.quern.op.Activation;
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
import dev.quern.provider.vector.attention.Attention;
import dev.quern.provider.vector.direct.BlockLinear;
import dev.quern.provider.vector.direct.BlockReader;
import dev.quern.provider.vector.packed.PanelKernels;
import dev.quern.provider.vector.rows.RmsNorm;
import dev.quern.provider.vector.rows.Rope;
import dev.quern.provider.vector.rows.SwiGlu;
import dev.quern.spi.Availability;
import dev.quern.spi.BiasedLinear;
import dev.quern.spi.Jit;
import dev.quern.spi.KernelProvider;
import dev.quern.spi.KernelSet;
import dev.quern.spi.Offer;
import dev.quern.spi.Platform;
import dev.quern.spi.Spec;
import dev.quern.spi.Variant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

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
    return BiasedLinear.offer(spec, VectorProvider::withoutBias);
  }

  private static Offer<LinearPacker> withoutBias(LinearSpec spec) {
    Optional<LinearTable.Row> row = LinearTable.of(spec.weights());
    if (row.isEmpty()) {
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
    Optional<PanelKernels> packed = row.get().packed().filter(k -> isTolerated(k.variants(), spec));
    if (packed.isPresent()) {
      return new Offer.Accepted<>(packed.get().packer(spec), packed.get().variants());
    }
    BlockReader direct = row.get().direct();
    return new Offer.Accepted<>(
        (stacked, _, workers) -> new BlockLinear(spec, direct, stacked, workers),
        BlockLinear.variants());
  }

  private static boolean isTolerated(List<Variant> variants, LinearSpec spec) {
    return variants.stream().allMatch(v -> spec.tolerated().contains(v.numerics()));
  }

  @Override
  public Offer<AttentionKernel> attention(AttentionSpec spec) {
    if (!spec.kv().equals(KvFormat.F32) && !spec.kv().equals(KvFormat.F16)) {
      return Offer.declined(
          String.format(Locale.ROOT, "no kernel for a %s cache: F32 and F16 only", spec.kv()));
    }
    return new Offer.Accepted<>(new Attention(spec), Attention.variants());
  }

  @Override
  public Offer<RmsNormKernel> rmsNorm(RmsNormSpec spec) {
    return accepted("f32-lanes", new RmsNorm(spec));
  }

  @Override
  public Offer<RopeKernel> rope(RopeSpec spec) {
    return accepted("f32-lanes", new Rope(spec));
  }

  @Override
  public Offer<SwiGluKernel> swiGlu(SwiGluSpec spec) {
    boolean silu = spec.activation() == Activation.SILU;
    return accepted(silu ? "f32-lanes" : "f32-lanes-gelu", new SwiGlu(spec));
  }

  private static <K> Offer<K> accepted(String variant, K kernel) {
    return Offer.accepted(kernel, new Variant(variant, 1, Numerics.EXACT_F32));
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

package dev.quern;

import dev.quern.data.BlockFormat;
import dev.quern.data.F32Matrix;
import dev.quern.data.KvCache;
import dev.quern.data.Workspace;
import dev.quern.discovery.ServiceFiles;
import dev.quern.op.AttentionKernel;
import dev.quern.op.AttentionSpec;
import dev.quern.op.LinearKernel;
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
import java.io.IOException;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.stream.Collectors;

/// Providers, kernels and options that tests play with.
public final class Fakes {
  static final Platform PLATFORM =
      new Platform(
          "linux", "aarch64", Set.of("dotprod", "i8mm"), Jit.C2, Set.of("java.base"), Map.of());

  private Fakes() {}

  /// Options under which exactly these provider classes are on the class path.
  static KernelOptions options(Path folder, Class<?>... providers) throws IOException {
    String services =
        Arrays.stream(providers).map(Class::getName).collect(Collectors.joining("\n", "", "\n"));
    return new KernelOptions(Map.of(), PLATFORM, services(folder, services));
  }

  /// A class loader that sees the test's classes and a service file of that text.
  static ClassLoader services(Path folder, String text) throws IOException {
    Path file = folder.resolve(ServiceFiles.RESOURCE);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
    return new URLClassLoader(new URL[] {url(folder)}, Fakes.class.getClassLoader());
  }

  static URL url(Path path) throws MalformedURLException {
    return path.toUri().toURL();
  }

  /// What the logger `dev.quern` says during an action.
  public static List<String> logged(Runnable action) {
    List<String> lines = new ArrayList<>();
    Logger logger = Logger.getLogger("dev.quern");
    Handler handler =
        new Handler() {
          @Override
          public void publish(LogRecord record) {
            lines.add(record.getLevel() + " " + record.getMessage());
          }

          @Override
          public void flush() {}

          @Override
          public void close() {}
        };
    logger.addHandler(handler);
    try {
      action.run();
    } finally {
      logger.removeHandler(handler);
    }
    return lines;
  }

  /// Declines everything, is ready, and fits.
  public abstract static class Base implements KernelProvider, KernelSet {
    private final String name;
    private final int priority;

    Base(String name, int priority) {
      this.name = name;
      this.priority = priority;
    }

    @Override
    public String name() {
      return name;
    }

    @Override
    public int priority() {
      return priority;
    }

    @Override
    public int specVersion() {
      return Spec.VERSION;
    }

    @Override
    public Availability open(Platform platform) {
      return new Availability.Ready(this, "");
    }
  }

  /// Takes everything, exactly and invariantly.
  public static final class Scalar extends Base {
    static final Variant VARIANT = new Variant("plain", 1, Numerics.EXACT_F32, true);

    public Scalar() {
      super("scalar", 0);
    }

    @Override
    public Offer<LinearPacker> linear(LinearSpec spec) {
      return Offer.accepted((_, _, _) -> new NoOp(0, false), VARIANT);
    }

    @Override
    public Offer<AttentionKernel> attention(AttentionSpec spec) {
      return Offer.accepted(new NoOp(0, false), VARIANT);
    }

    @Override
    public Offer<RmsNormKernel> rmsNorm(RmsNormSpec spec) {
      return Offer.accepted((RmsNormKernel) (Rms) (_, _, _, _) -> {}, VARIANT);
    }

    @Override
    public Offer<RopeKernel> rope(RopeSpec spec) {
      return Offer.accepted((RopeKernel) (Rope) (_, _, _, _) -> {}, VARIANT);
    }

    @Override
    public Offer<SwiGluKernel> swiGlu(SwiGluSpec spec) {
      return Offer.accepted((SwiGluKernel) (Glu) (_, _, _, _) -> {}, VARIANT);
    }
  }

  /// Takes linear of F32 and Q8_0 only, in two variants.
  public static final class Vector extends Base {
    public Vector() {
      super("vector", 100);
    }

    @Override
    public Availability open(Platform platform) {
      return new Availability.Ready(this, "256-bit vectors");
    }

    @Override
    public Offer<LinearPacker> linear(LinearSpec spec) {
      return spec.weights().equals(BlockFormat.F32) || spec.weights().equals(BlockFormat.Q8_0)
          ? new Offer.Accepted<>(
              (_, _, _) -> new NoOp(0, false),
              List.of(
                  new Variant("gemv", 1, Numerics.EXACT_F32),
                  new Variant("gemm", 4, Numerics.EXACT_F32)))
          : Offer.declined("no kernel for " + spec.weights());
    }
  }

  /// Needs a library; takes linear of Q4_0 if int8 is tolerated.
  public static final class Kleidi extends Base {
    public Kleidi() {
      super("kleidi", 200);
    }

    @Override
    public Availability open(Platform platform) {
      return platform.properties().containsKey("quern.kleidi.library")
          ? new Availability.Ready(this, "dotprod")
          : new Availability.Unavailable(
              "no libkleidiai.so was found", "set -Dquern.kleidi.library=<path>");
    }

    @Override
    public Offer<LinearPacker> linear(LinearSpec spec) {
      return spec.weights().equals(BlockFormat.Q4_0)
              && spec.tolerated().contains(Numerics.INT8_SYM_32)
          ? Offer.accepted(
              (_, _, _) -> new NoOp(0, false), new Variant("neon_dotprod", 1, Numerics.INT8_SYM_32))
          : Offer.declined("needs Q4_0 and int8-sym-32");
    }
  }

  /// Unavailable, and nothing helps.
  public static final class Amx extends Base {
    public Amx() {
      super("amx", 300);
    }

    @Override
    public Availability open(Platform platform) {
      return new Availability.Unavailable("the CPU has no AMX", "");
    }
  }

  /// Ready, with the priority of Vector.
  public static final class Rival extends Base {
    public Rival() {
      super("rival", 100);
    }
  }

  /// Offers by throwing.
  public static final class Thrower extends Base {
    public Thrower() {
      super("thrower", 400);
    }

    @Override
    public Offer<LinearPacker> linear(LinearSpec spec) {
      throw new UnsupportedOperationException("not today");
    }
  }

  /// Offers null.
  public static final class Nuller extends Base {
    public Nuller() {
      super("nuller", 401);
    }

    @Override
    public Offer<LinearPacker> linear(LinearSpec spec) {
      return null;
    }
  }

  /// Offers numerics that nobody tolerates.
  public static final class Liar extends Base {
    public Liar() {
      super("liar", 402);
    }

    @Override
    public Offer<LinearPacker> linear(LinearSpec spec) {
      return Offer.accepted(
          (_, _, _) -> new NoOp(0, false), new Variant("fast", 1, Numerics.INT8_ASYM_ROW));
    }

    @Override
    public Offer<RmsNormKernel> rmsNorm(RmsNormSpec spec) {
      return Offer.accepted(
          (RmsNormKernel) (Rms) (_, _, _, _) -> {}, new Variant("fast", 1, Numerics.INT8_SYM_32));
    }
  }

  /// Not a functional interface in the API, since `scratchBytes` is abstract; these close the gap.
  interface Rms extends RmsNormKernel {
    @Override
    default long scratchBytes(int rows, int parallelism) {
      return 0;
    }
  }

  interface Rope extends RopeKernel {
    @Override
    default long scratchBytes(int rows, int parallelism) {
      return 0;
    }
  }

  interface Glu extends SwiGluKernel {
    @Override
    default long scratchBytes(int rows, int parallelism) {
      return 0;
    }
  }

  /// A linear and an attention kernel that do nothing.
  ///
  /// @param scratchPerTask `scratchBytes(rows, parallelism) = rows * parallelism * scratchPerTask`
  record NoOp(long scratchPerTask, boolean retainsSource) implements LinearKernel, AttentionKernel {
    @Override
    public long scratchBytes(int rows, int parallelism) {
      return scratchPerTask * rows * parallelism;
    }

    @Override
    public void apply(F32Matrix x, F32Matrix y, Workspace w) {}

    @Override
    public void append(F32Matrix k, F32Matrix v, KvCache cache, int position, Workspace w) {}

    @Override
    public void apply(F32Matrix q, KvCache cache, int firstPosition, F32Matrix y, Workspace w) {}
  }
}

package dev.quern.llama;

import dev.quern.KernelOptions;
import dev.quern.data.F32Matrix;
import dev.quern.data.WeightMatrix;
import dev.quern.data.Workspace;
import dev.quern.op.LinearKernel;
import dev.quern.op.LinearPacker;
import dev.quern.op.LinearSpec;
import dev.quern.spi.Availability;
import dev.quern.spi.KernelProvider;
import dev.quern.spi.KernelSet;
import dev.quern.spi.Offer;
import dev.quern.spi.Platform;
import dev.quern.spi.Spec;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.concurrent.atomic.AtomicInteger;

/// The scalar provider's linear kernels over packed copies of their weights, which fail where
/// `quern.testing.fails` says: `pack` or `apply`.
public final class TestingProvider implements KernelProvider {
  static final String FAILS = "quern.testing.fails";

  /// Sets that are open.
  static final AtomicInteger OPEN = new AtomicInteger();

  public TestingProvider() {}

  /// Options with this provider for linear operators, before the scalar one.
  public static KernelOptions options(Path folder) throws IOException {
    Path services = Files.createDirectories(folder.resolve("testing/META-INF/services"));
    Files.writeString(
        services.resolve(KernelProvider.class.getName()), TestingProvider.class.getName());
    KernelOptions system = KernelOptions.fromSystem();
    URL[] path = {folder.resolve("testing/").toUri().toURL()};
    return new KernelOptions(
            system.properties(),
            system.platform(),
            new URLClassLoader(path, TestingProvider.class.getClassLoader()))
        .withProvider("testing,scalar");
  }

  @Override
  public String name() {
    return "testing";
  }

  @Override
  public int priority() {
    return 1;
  }

  @Override
  public int specVersion() {
    return Spec.VERSION;
  }

  @Override
  public Availability open(Platform platform) {
    KernelProvider scalar =
        ServiceLoader.load(KernelProvider.class).stream()
            .map(ServiceLoader.Provider::get)
            .filter(p -> p.name().equals("scalar"))
            .findFirst()
            .orElseThrow();
    Optional<String> fails = Optional.ofNullable(platform.properties().get(FAILS));
    return switch (scalar.open(platform)) {
      case Availability.Ready(KernelSet right, String _) -> {
        OPEN.incrementAndGet();
        yield new Availability.Ready(new Failing(right, fails), "for tests");
      }
      case Availability.Unavailable no -> no;
    };
  }

  private record Failing(KernelSet right, Optional<String> fails) implements KernelSet {
    @Override
    public void close() {
      OPEN.decrementAndGet();
    }

    @Override
    public Offer<LinearPacker> linear(LinearSpec spec) {
      return switch (right.linear(spec)) {
        case Offer.Accepted<LinearPacker>(var packer, var variants) ->
            new Offer.Accepted<>(
                (stacked, packed, workers) -> {
                  fail("pack");
                  List<WeightMatrix> copies = new ArrayList<>();
                  for (WeightMatrix m : stacked) {
                    MemorySegment copy =
                        packed.allocate(m.data().byteSize(), 64).copyFrom(m.data());
                    copies.add(
                        new WeightMatrix(m.format(), copy, m.scales(), m.outputs(), m.inputs()));
                  }
                  return new Copied(packer.pack(copies, packed, workers));
                },
                variants);
        case Offer.Declined<LinearPacker> declined -> declined;
      };
    }

    private void fail(String where) {
      if (fails.filter(where::equals).isPresent()) {
        throw new UnsupportedOperationException("not " + where);
      }
    }

    private final class Copied implements LinearKernel {
      private final LinearKernel kernel;

      Copied(LinearKernel kernel) {
        this.kernel = kernel;
      }

      @Override
      public boolean retainsSource() {
        return false;
      }

      @Override
      public long scratchBytes(int rows, int parallelism) {
        return kernel.scratchBytes(rows, parallelism);
      }

      @Override
      public void apply(F32Matrix x, F32Matrix y, Workspace w) {
        fail("apply");
        kernel.apply(x, y, w);
      }
    }
  }
}

package dev.quern.provider.x86;

import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.memory.NativeRoutines;
import dev.quern.provider.x86.memory.RefusedException;
import dev.quern.spi.Availability;
import dev.quern.spi.Availability.Unavailable;
import dev.quern.spi.KernelProvider;
import dev.quern.spi.Platform;
import dev.quern.spi.Spec;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// Kernels as machine code that Java assembles, on Linux on x86-64. Its property is
/// `quern.x86.listing`: a folder that the code is written to, as text and as bytes.
public final class X86Provider implements KernelProvider {
  private static final String PREFIX = "quern.x86.";
  private static final String LISTING = PREFIX + "listing";
  private static final String MASK = "quern.cpu.mask";

  private final HostSystem host;

  public X86Provider() {
    this(new Linux());
  }

  X86Provider(HostSystem host) {
    this.host = host;
  }

  @Override
  public String name() {
    return "x86";
  }

  /// KleidiAI's provider has the same: no CPU has both.
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
    Optional<Unavailable> obstacle = obstacle(platform);
    if (obstacle.isPresent()) {
      return obstacle.get();
    }
    try {
      return ready(platform);
    } catch (RefusedException e) {
      return new Unavailable(e.reason(), e.remedy());
    } catch (IllegalCallerException e) {
      Module module = X86Provider.class.getModule();
      return new Unavailable(
          "native access is denied to it: " + e.getMessage(),
          "start the JVM with --enable-native-access="
              + (module.isNamed() ? module.getName() : "ALL-UNNAMED"));
    } catch (RuntimeException e) {
      return new Unavailable(
          "this system's C library can't be called: " + e,
          "select other providers: quern.provider=vector,scalar");
    }
  }

  /// Tiles are asked for first: what a process may not use decides what it runs.
  private Availability ready(Platform platform) throws RefusedException {
    Set<String> features = new TreeSet<>(platform.cpuFeatures());
    CpuRow row = CpuRow.best(features).orElseThrow();
    String detail = "";
    if (row.equals(CpuRow.AMX)) {
      Optional<String> refusal = host.amxRefusal();
      if (refusal.isPresent()) {
        features.removeIf(f -> f.startsWith("amx"));
        row = CpuRow.best(features).orElseThrow();
        detail = "; not " + CpuRow.AMX + ": " + refusal.get();
      }
    }
    host.tryCode();
    String folder = platform.properties().get(LISTING);
    ProvenOperators operators =
        folder == null
            ? ProvenOperators.shared(row, platform.invariant())
            : new ProvenOperators(row, listed(row, platform.invariant(), Path.of(folder)));
    return new Availability.Ready(
        new X86Kernels(operators), "machine code for CPU row " + row + detail);
  }

  /// All whose code is written to a folder before it is loaded.
  private static OperatorTable listed(CpuRow row, boolean invariant, Path folder) {
    Listing listing = new Listing(folder);
    return OperatorTable.of(
        row,
        invariant,
        codes -> NativeRoutines.load(listing.write(codes)),
        codes -> NativeRoutines.loadWide(listing.write(codes)));
  }

  /// What makes it needless to ask the system.
  private static Optional<Unavailable> obstacle(Platform platform) {
    if (!platform.arch().equals("x86_64") || !platform.os().equals("linux")) {
      return unavailable(
          String.format(
              Locale.ROOT,
              "it runs on Linux on x86-64, and this is %s on %s",
              platform.os(),
              platform.arch()),
          "");
    }
    Set<String> features = platform.cpuFeatures();
    if (CpuRow.best(features).isEmpty()) {
      List<String> masked =
          Arrays.stream(platform.properties().getOrDefault(MASK, "").split("[,\\s]+"))
              .filter(m -> m.startsWith("-") && CpuRow.AVX2.needs().contains(m.substring(1)))
              .sorted()
              .toList();
      return unavailable(
          "the CPU is none of its rows: " + CpuRow.AVX2.lacking(features),
          masked.isEmpty() ? "" : "take " + String.join(",", masked) + " out of " + MASK);
    }
    for (String key : new TreeSet<>(platform.properties().keySet())) {
      if (key.startsWith(PREFIX) && !key.equals(LISTING)) {
        return unavailable(key + " is no property of it", "use " + LISTING);
      }
    }
    return Optional.ofNullable(platform.properties().get(LISTING))
        .filter(folder -> !isFolder(folder))
        .flatMap(folder ->
            unavailable(
                LISTING + "=" + folder + " is no folder that can be written to",
                "make it, or name another"));
  }

  private static boolean isFolder(String text) {
    try {
      Path folder = Path.of(text);
      return Files.isDirectory(folder) && Files.isWritable(folder);
    } catch (InvalidPathException _) { // as good as none
      return false;
    }
  }

  private static Optional<Unavailable> unavailable(String reason, String remedy) {
    return Optional.of(new Unavailable(reason, remedy));
  }
}

package dev.quern.provider.kleidi;

import static java.util.stream.Collectors.joining;

import dev.quern.data.BlockFormat;
import dev.quern.op.LinearPacker;
import dev.quern.op.LinearSpec;
import dev.quern.spi.Availability;
import dev.quern.spi.Availability.Unavailable;
import dev.quern.spi.KernelProvider;
import dev.quern.spi.Offer;
import dev.quern.spi.Platform;
import dev.quern.spi.Spec;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeSet;

/// Linear operators on Arm's KleidiAI micro-kernels, on Linux and macOS. Its properties:
///
/// - `quern.kleidi.library`: the shared library of KleidiAI;
/// - `quern.kleidi.sme`: how many threads may use the CPU's matrix unit (SME): `off` (the default),
///   a number, or `on` for all.
public final class KleidiProvider implements KernelProvider {
  private static final String PREFIX = "quern.kleidi.";
  private static final String SME = PREFIX + "sme";
  private static final String ROUNDS_TO_EVEN =
      ", older than 1.22: it rounds ties of x to even, not away from zero";

  /// What the last call of [#availability] found; null where it found nothing.
  private volatile LoadedKernels loaded;

  @Override
  public String name() {
    return "kleidi";
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
  public Availability availability(Platform platform) {
    loaded = null;
    Optional<Unavailable> obstacle = obstacle(platform);
    if (obstacle.isPresent()) {
      return obstacle.get();
    }
    OptionalInt smeThreads = smeThreads(platform.properties().getOrDefault(SME, "off").strip());
    if (smeThreads.isEmpty()) {
      return new Unavailable(
          String.format(
              Locale.ROOT,
              "%s=%s, expected off, on or a number of threads",
              SME,
              platform.properties().get(SME)),
          "set it to one of these");
    }
    Optional<String> named = Optional.ofNullable(platform.properties().get(LibrarySearch.PROPERTY));
    return switch (LibrarySearch.find(
        platform.os(), named, KleidiProvider.class.getClassLoader())) {
      case LibrarySearch.None(Unavailable why) -> why;
      case LibrarySearch.Found(KleidiAi library, String where) ->
          ready(new LoadedKernels(library, platform.cpuFeatures(), smeThreads.getAsInt()), where);
    };
  }

  private Availability ready(LoadedKernels kernels, String where) {
    List<KernelFamily> lost =
        Arrays.stream(KernelFamily.values()).filter(f -> !kernels.runs(f)).toList();
    if (!lost.isEmpty()) {
      return new Unavailable(
          where + lost.stream().map(f -> ": no kernel" + kernels.obstacles(f)).collect(joining("")),
          "use a library of KleidiAI 1.8 or newer");
    }
    loaded = kernels;
    return new Availability.Ready(
        where + kernels.sme() + (kernels.roundsToEven() ? ROUNDS_TO_EVEN : ""));
  }

  /// What makes it needless to look for the library.
  private static Optional<Unavailable> obstacle(Platform platform) {
    if (!platform.arch().equals("aarch64") || !List.of("linux", "macos").contains(platform.os())) {
      return unavailable(
          String.format(
              Locale.ROOT,
              "it runs on Linux and macOS on aarch64, and this is %s on %s",
              platform.os(),
              platform.arch()),
          "");
    }
    String mask = platform.properties().getOrDefault("quern.cpu.mask", "");
    if (!platform.cpuFeatures().contains("dotprod")) {
      return unavailable(
          "the CPU lacks dot product instructions (dotprod)",
          mask.contains("-dotprod") ? "take -dotprod out of quern.cpu.mask" : "");
    }
    for (String key : new TreeSet<>(platform.properties().keySet())) {
      if (key.startsWith(PREFIX) && !List.of(LibrarySearch.PROPERTY, SME).contains(key)) {
        return unavailable(
            key + " is no property of it", "use " + LibrarySearch.PROPERTY + " or " + SME);
      }
    }
    return Optional.empty();
  }

  private static Optional<Unavailable> unavailable(String reason, String remedy) {
    return Optional.of(new Unavailable(reason, remedy));
  }

  /// How many threads may use SME; empty if the text is none of the possible.
  private static OptionalInt smeThreads(String text) {
    return switch (text) {
      case "off" -> OptionalInt.of(0);
      case "on" -> OptionalInt.of(Integer.MAX_VALUE);
      default ->
          text.matches("\\d{1,4}") ? OptionalInt.of(Integer.parseInt(text)) : OptionalInt.empty();
    };
  }

  @Override
  public Offer<LinearPacker> linear(LinearSpec spec) {
    LoadedKernels kernels = loaded;
    if (kernels == null) {
      return Offer.declined("no library is loaded: availability(platform) says why");
    }
    Optional<KernelFamily> found = KernelFamily.of(spec.weights());
    if (found.isEmpty()) {
      return Offer.declined(
          spec.weights().equals(BlockFormat.Q8_0)
              ? "no KleidiAI kernel for Q8_0 keeps a scale for each block: requantised to one for each output it would lose accuracy"
              : "no KleidiAI kernel for weight format " + spec.weights());
    }
    KernelFamily family = found.get();
    if (!spec.tolerated().contains(family.numerics())) {
      return Offer.declined(
          String.format(
              Locale.ROOT,
              "%s runs with %s alone, and the spec tolerates %s",
              spec.weights(),
              family.numerics(),
              spec.tolerated()));
    }
    if (spec.inputs() > family.maxInputs()) {
      return Offer.declined(
          String.format(
              Locale.ROOT,
              "inputs=%d, expected at most %d: the kernel's int32 sums could overflow",
              spec.inputs(),
              family.maxInputs()));
    }
    Optional<KernelPair> pair = kernels.pair(family);
    if (pair.isEmpty()) {
      return Offer.declined("no kernel for " + spec.weights() + kernels.obstacles(family));
    }
    return new Offer.Accepted<>(
        (stacked, packed, workers) ->
            new KleidiLinear(
                spec, pair.get(), PackedWeights.pack(pair.get(), spec, stacked, packed, workers)),
        pair.get().variants());
  }
}

package dev.quern.provider.kleidi;

import static java.util.stream.Collectors.joining;

import dev.quern.spi.Availability;
import dev.quern.spi.Availability.Unavailable;
import dev.quern.spi.KernelProvider;
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
  public Availability open(Platform platform) {
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

  private static Availability ready(LoadedKernels kernels, String where) {
    List<KernelFamily> lost =
        Arrays.stream(KernelFamily.values()).filter(f -> f.always() && !kernels.runs(f)).toList();
    if (!lost.isEmpty()) {
      return new Unavailable(
          where + lost.stream().map(f -> ": no kernel" + kernels.obstacles(f)).collect(joining("")),
          "use a library of KleidiAI 1.8 or newer");
    }
    return new Availability.Ready(
        new KleidiKernels(kernels),
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
}

package dev.quern.llama.machine;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import dev.quern.KernelOptions;
import dev.quern.llama.error.LlamaException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// Whether a model's memory can lie in huge pages here: Linux's transparent ones, for which a
/// process asks (`madvise`), see transhuge.html in the kernel's documentation.
///
/// @param sys where the kernel says what it offers, `/sys/kernel/mm/transparent_hugepage`
/// @param process what it says about this process, `/proc/self`
/// @param caller whose native access is needed
/// @param worthwhile bytes of weights from which it is done. Less is within reach of the second
///   level of a core's translation buffer (1,024 to 2,048 pages of 4 KiB), and a huge page that is
///   not full would be much of it
public record HugePageSystem(Path sys, Path process, Module caller, long worthwhile) {
  public static final HugePageSystem THIS_MACHINE =
      new HugePageSystem(
          Path.of("/sys/kernel/mm/transparent_hugepage"),
          Path.of("/proc/self"),
          HugePageSystem.class.getModule(),
          16L << 20);

  static final String PROPERTY = "quern.hugepages";
  private static final String AUTO = "auto";
  private static final String OFF = "off";
  private static final Pattern CHOSEN = Pattern.compile(".*\\[(\\w+)].*");
  private static final Pattern ADDRESS_SPACE = Pattern.compile("Max address space +(\\S+) .*");

  /// Why there are none, in a few words; empty if there are.
  ///
  /// @throws LlamaException if `quern.hugepages` is neither `auto` nor `off`
  public Optional<String> refusal(KernelOptions options) {
    return Stream.<Supplier<Optional<String>>>of(
            () -> turnedOff(options),
            this::offered,
            this::size,
            this::disabled,
            this::addressSpace,
            this::nativeAccess)
        .flatMap(reason -> reason.get().stream())
        .findFirst();
  }

  private static Optional<String> turnedOff(KernelOptions options) {
    String value = options.properties().getOrDefault(PROPERTY, AUTO).strip();
    String stated = options.fromEnvironment().contains(PROPERTY) ? "QUERN_HUGEPAGES" : PROPERTY;
    return switch (value) {
      case AUTO -> Optional.empty();
      case OFF -> Optional.of(stated + "=" + OFF);
      default ->
          throw new LlamaException(
              String.format(Locale.ROOT, "%s=%s, expected auto or off", stated, value));
    };
  }

  /// The setting of the size (Linux 6.8), where it has one of its own, goes before the general one.
  private Optional<String> offered() {
    Path general = sys.resolve("enabled");
    Path own = sys.resolve("hugepages-2048kB/enabled");
    Path deciding =
        line(own, CHOSEN).filter(word -> !word.equals("inherit")).isPresent() ? own : general;
    Optional<String> word = line(deciding, CHOSEN);
    if (word.isEmpty()) {
      return Optional.of("the system offers none");
    }
    return word.get().equals("never") ? Optional.of(deciding + " says never") : Optional.empty();
  }

  /// Pages of 64 KiB, as some Arm systems have, make huge ones of 512 MiB.
  private Optional<String> size() {
    return line(sys.resolve("hpage_pmd_size"), Pattern.compile("(\\d+)"))
        .filter(bytes -> !bytes.equals(Long.toString(HugePages.PAGE)))
        .map(bytes ->
            String.format(
                Locale.ROOT, "the system's are of %s bytes, expected %d", bytes, HugePages.PAGE));
  }

  private Optional<String> disabled() {
    return line(process.resolve("status"), Pattern.compile("THP_enabled:\\s+(\\d)"))
        .filter("0"::equals)
        .map(_ -> "they are disabled for this process (prctl)");
  }

  /// Where addresses are limited, none are reserved: what else needs some would not find it.
  private Optional<String> addressSpace() {
    return line(process.resolve("limits"), ADDRESS_SPACE)
        .filter(limit -> !limit.equals("unlimited"))
        .map(_ -> "the address space is limited (ulimit -v)");
  }

  private Optional<String> nativeAccess() {
    return caller.isNativeAccessEnabled()
        ? Optional.empty()
        : Optional.of(
            String.format(
                Locale.ROOT,
                "no native access (--enable-native-access=%s)",
                caller.isNamed() ? caller.getName() : "ALL-UNNAMED"));
  }

  /// The pattern's group in the first line that it matches; empty where there is no such file or
  /// line, as on other systems.
  private static Optional<String> line(Path file, Pattern pattern) {
    if (!Files.isReadable(file)) {
      return Optional.empty();
    }
    try {
      return Files.readAllLines(file, ISO_8859_1).stream() // a process may be called by any bytes
          .map(pattern::matcher)
          .filter(Matcher::matches)
          .map(m -> m.group(1))
          .findFirst();
    } catch (IOException e) {
      return Optional.empty(); // it can't be read, so the system does not tell
    }
  }
}

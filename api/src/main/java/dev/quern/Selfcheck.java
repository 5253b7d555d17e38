package dev.quern;

import dev.quern.discovery.Locations;
import dev.quern.platform.Platforms;
import dev.quern.spi.Variant;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Stream;

/// The results of `quern selfcheck` that concern this JVM and CPU: variants that were seen to be
/// wrong once compiled. [Kernels] passes over a provider's offer that holds one of them.
///
/// They lie in a text file: that of `quern.selfcheck.file`, else `quern/selfcheck` in
/// `$XDG_CACHE_HOME`, else in `~/.cache`. Without a file there is nothing to decline, and looking
/// costs one failed `stat`.
///
/// @since 0.1
/// @stability api
public final class Selfcheck {
  static final String FILE = "quern.selfcheck.file";

  private final Path file;
  private final List<SelfcheckFailure> all;
  private final KernelOptions options;

  private Selfcheck(Path file, List<SelfcheckFailure> all, KernelOptions options) {
    this.file = file;
    this.all = List.copyOf(all);
    this.options = options;
  }

  /// Reads the results file.
  ///
  /// @throws SelectionException if it is there and can't be read or understood
  public static Selfcheck read(KernelOptions options) {
    Path file = file(options);
    return new Selfcheck(file, SelfcheckFile.read(file), options);
  }

  /// Where the results are, whether there are any or not.
  ///
  /// @throws SelectionException if the property is no path
  public static Path file(KernelOptions options) {
    String named = options.properties().get(FILE);
    if (named != null) {
      try {
        return Path.of(named);
      } catch (InvalidPathException e) {
        throw new SelectionException(
            String.format(
                Locale.ROOT, "-D%s: %s, expected the path of a file", FILE, e.getReason()),
            e);
      }
    }
    String cache = System.getenv("XDG_CACHE_HOME");
    return (cache == null || cache.isEmpty()
            ? Path.of(System.getProperty("user.home"), ".cache")
            : Path.of(cache))
        .resolve("quern")
        .resolve("selfcheck");
  }

  /// All that the file holds, also of other JVMs, CPUs and JARs.
  public List<SelfcheckFailure> failures() {
    return all;
  }

  /// A failure that was seen here.
  ///
  /// @param provider the provider's entry in the catalog
  /// @param spec the spec whose kernel was wrong
  /// @param because what was wrong
  /// @throws IOException if the provider's JAR can't be read
  public SelfcheckFailure failure(
      ProviderEntry provider, Operator<?, ?> operator, Object spec, Variant variant, String because)
      throws IOException {
    return new SelfcheckFailure(
        provider.name(),
        operator,
        SelfcheckFailure.subject(spec),
        variant.name(),
        jdk(),
        cpu(),
        hash(provider),
        because);
  }

  /// Stores what a check of a provider found: it takes the place of what earlier checks of the same
  /// JAR found on this JVM and CPU. A file without failures is deleted.
  ///
  /// @param found its failures, empty if all is right
  /// @throws IOException if the file can't be written
  public void store(ProviderEntry provider, List<SelfcheckFailure> found) throws IOException {
    List<SelfcheckFailure> kept = new ArrayList<>(SelfcheckFile.read(file));
    String jar = hash(provider);
    kept.removeIf(f -> f.provider().equals(provider.name()) && isHere(f) && f.jar().equals(jar));
    kept.addAll(found);
    SelfcheckFile.write(file, kept);
  }

  /// Forgets all results, also of other JVMs and CPUs.
  ///
  /// @return whether there were any
  public static boolean clear(KernelOptions options) throws IOException {
    return SelfcheckFile.delete(file(options));
  }

  /// Why an offer can't be taken, if it holds a variant that was seen to be wrong here.
  ///
  /// @throws SelectionException if the provider's JAR can't be read
  Optional<String> declines(
      ProviderEntry provider, Operator<?, ?> operator, Object spec, List<Variant> variants) {
    String subject = SelfcheckFailure.subject(spec);
    return all.stream()
        .filter(f -> f.provider().equals(provider.name()) && f.operator() == operator)
        .filter(f -> f.subject().equals(subject))
        .filter(f -> variants.stream().anyMatch(v -> v.name().equals(f.variant())))
        .filter(f -> isHere(f) && f.jar().equals(hashOrFail(provider)))
        .findFirst()
        .map(f ->
            String.format(
                Locale.ROOT,
                "selfcheck found variant %s wrong for %s on this JVM and CPU (%s; recorded in %s; check again: quern selfcheck, forget: quern selfcheck --clear)",
                f.variant(),
                subject,
                f.because(),
                file));
  }

  private boolean isHere(SelfcheckFailure f) {
    return f.jdk().equals(jdk()) && f.cpu().equals(cpu());
  }

  private static String jdk() {
    return String.format(
        Locale.ROOT,
        "%s %s, %s",
        System.getProperty("java.vm.name"),
        System.getProperty("java.vm.version"),
        System.getProperty("java.vm.vendor"));
  }

  /// Without `quern.cpu.mask`: C2 does not know that property.
  private String cpu() {
    return Platforms.cpuName()
        + ": "
        + String.join(" ", new TreeSet<>(options.platform().cpuFeatures()));
  }

  private static String hashOrFail(ProviderEntry provider) {
    try {
      return hash(provider);
    } catch (IOException e) {
      throw new SelectionException(
          String.format(
              Locale.ROOT,
              "selfcheck: provider %s can't be read to compare it with what was checked: %s",
              provider.label(),
              e),
          e);
    }
  }

  /// SHA-256 of the JAR, or of all files of a folder; the location itself where it is neither.
  private static String hash(ProviderEntry provider) throws IOException {
    if (!provider.location().startsWith("file:")) {
      return provider.location();
    }
    Path path = Path.of(Locations.forPeople(provider.location()));
    MessageDigest digest = sha256();
    try (Stream<Path> files = Files.walk(path)) {
      for (Path f : files.filter(Files::isRegularFile).sorted().toList()) {
        digest.update(path.relativize(f).toString().getBytes());
        digest.update(Files.readAllBytes(f));
      }
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every JDK has it
    }
  }
}

package dev.quern;

import dev.quern.discovery.ClassPathJars;
import dev.quern.discovery.Guard;
import dev.quern.discovery.Locations;
import dev.quern.discovery.ServiceScan;
import dev.quern.discovery.ServiceScan.Found;
import dev.quern.discovery.UnresolvedModules;
import dev.quern.spi.Availability;
import dev.quern.spi.KernelProvider;
import dev.quern.spi.KernelSet;
import dev.quern.spi.Platform;
import dev.quern.spi.Spec;
import dev.quern.text.Failures;
import dev.quern.text.OneLine;
import java.io.UncheckedIOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The providers on the class path and the module path, each with its verdict. Broken ones are
/// entries like the others, so that a report can show what is missing and why.
///
/// What the ready providers opened is closed with it.
///
/// @since 0.1
/// @stability api
public final class Catalog implements AutoCloseable {
  private static final Logger LOG = System.getLogger("dev.quern");
  private static final Pattern NAME = Pattern.compile("[a-z][a-z0-9_-]{0,63}");

  /// Names that mean something else where a provider is named.
  private static final Set<String> RESERVED = Set.of("auto");

  /// What a provider says of itself.
  private record Identity(String name, int priority, int specVersion) {
    static Identity of(KernelProvider provider) {
      int specVersion = provider.specVersion(); // first: what an old SPI lacks is told by its name
      return new Identity(provider.name(), provider.priority(), specVersion);
    }
  }

  /// @param provider null where it is not to be asked
  /// @param kernels what it opened; null where the entry is not ready
  private record Candidate(ProviderEntry entry, KernelProvider provider, KernelSet kernels) {
    Candidate(ProviderEntry entry, KernelProvider provider) {
      this(entry, provider, null);
    }
  }

  private final Platform platform;
  private final List<Candidate> candidates;
  private final Guard guard;
  private final AtomicBoolean closed = new AtomicBoolean();

  private Catalog(Platform platform, List<Candidate> candidates, Guard guard) {
    this.platform = platform;
    this.candidates = List.copyOf(candidates);
    this.guard = guard;
  }

  /// Looks for providers, makes one of each, and has it open its kernels for the platform.
  ///
  /// @throws SelectionException if `quern.cpu.mask` is malformed
  public static Catalog scan(KernelOptions options) {
    return scan(options, Guard.DEFAULT);
  }

  /// @param guard bounds each of three rounds of questions: who can be made, who they are, whether
  ///   they can run; and the one in which all that they opened is closed
  static Catalog scan(KernelOptions options, Guard guard) {
    Platform platform = options.providersPlatform();
    ServiceScan scan = new ServiceScan(options.loader(), guard);
    List<Guard.Outcome<Identity>> identities =
        guard.ask(
            scan.found().stream()
                .<Callable<Identity>>map(found -> () -> Identity.of(found.provider()))
                .toList());
    List<Candidate> asked = new ArrayList<>();
    for (int i = 0; i < identities.size(); i++) {
      asked.addAll(describe(scan.found().get(i), identities.get(i), options.loader()));
    }
    List<Candidate> candidates = open(rejectDuplicates(asked), platform, guard);
    try {
      return new Catalog(platform, withBroken(candidates, scan, options.loader()), guard);
    } catch (Throwable t) { // rethrown: only what was opened here is closed
      new Catalog(platform, candidates, guard).close();
      throw t;
    }
  }

  /// With all that can't be asked, sorted for reports.
  private static List<Candidate> withBroken(
      List<Candidate> opened, ServiceScan scan, ClassLoader loader) {
    List<Candidate> candidates = new ArrayList<>(opened);
    Stream.of(
            scan.broken(),
            ClassPathJars.of(loader),
            UnresolvedModules.on(System.getProperty("jdk.module.path", "")))
        .flatMap(List::stream)
        .forEach(unusable -> candidates.add(new Candidate(ProviderEntry.of(unusable), null)));
    candidates.sort(
        Comparator.comparing(
            Candidate::entry,
            Comparator.comparing((ProviderEntry e) -> !e.ready())
                .thenComparing(ProviderEntry::priority, Comparator.reverseOrder())
                .thenComparing(ProviderEntry::name)
                .thenComparing(ProviderEntry::className)));
    return candidates;
  }

  /// The platform that providers were asked about: CPU features as `quern.cpu.mask` leaves them.
  public Platform platform() {
    return platform;
  }

  /// All that was found: the ready ones by falling priority, then the others.
  public List<ProviderEntry> entries() {
    return candidates.stream().map(Candidate::entry).toList();
  }

  /// The ready provider of that name.
  public Optional<KernelProvider> ready(String name) {
    return readyCandidate(name).map(Candidate::provider);
  }

  /// What the ready provider of that name offers on [#platform()]. The catalog closes it.
  Optional<KernelSet> kernels(String name) {
    return readyCandidate(name).map(Candidate::kernels);
  }

  private Optional<Candidate> readyCandidate(String name) {
    return candidates.stream()
        .filter(c -> c.entry.ready() && c.entry.name().equals(name))
        .findFirst();
  }

  /// Closes what the providers opened. What is in the catalog can be read afterwards, too; closing
  /// it again does nothing. A provider that fails at it, or does not come to an end, is a warning.
  @Override
  public void close() {
    if (closed.getAndSet(true)) {
      return;
    }
    List<Candidate> open = candidates.stream().filter(c -> c.kernels != null).toList();
    List<Guard.Outcome<Void>> outcomes =
        guard.ask(open.stream().<Callable<Void>>map(c -> () -> close(c.kernels)).toList());
    for (int i = 0; i < open.size(); i++) {
      Throwable thrown = outcomes.get(i).thrown();
      if (thrown != null) {
        warnOfClose(open.get(i).entry.name(), thrown);
      }
    }
  }

  private static Void close(KernelSet kernels) {
    kernels.close();
    return null;
  }

  private static void warnOfClose(String name, Throwable thrown) {
    LOG.log(
        Level.WARNING,
        String.format(Locale.ROOT, "provider %s: close() %s (P22)", name, Failures.threw(thrown)));
  }

  /// The entry of the ready provider of that name.
  ///
  /// @throws java.util.NoSuchElementException if there is none
  ProviderEntry readyEntry(String name) {
    return candidates.stream()
        .map(Candidate::entry)
        .filter(e -> e.ready() && e.name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  /// Who a provider is. One entry, or one for each copy where the path holds several.
  private static List<Candidate> describe(
      Found found, Guard.Outcome<Identity> said, ClassLoader loader) {
    ProviderEntry entry;
    if (said.thrown() == null) {
      Identity id = said.value();
      entry =
          new ProviderEntry(
              legal(id.name) ? id.name : ProviderEntry.UNNAMED,
              found.className(),
              found.location(),
              id.priority,
              id.specVersion,
              identity(id.name, id.specVersion));
    } else {
      entry =
          ProviderEntry.unnamed(
              found.className(),
              found.location(),
              new Verdict.Rejected(
                  "it can't say who it is: " + Failures.text(said.thrown()),
                  Failures.remedy(said.thrown())));
    }
    Set<String> copies;
    try {
      copies = copies(found.className(), loader);
    } catch (UncheckedIOException e) {
      Verdict unsure =
          new Verdict.Rejected(
              "the class loader can't tell whether its class is on the path twice: "
                  + Failures.text(e),
              "repair the class path");
      return List.of(new Candidate(entry.withVerdict(unsure), null));
    }
    if (copies.size() < 2) {
      return List.of(new Candidate(entry, found.provider()));
    }
    Verdict verdict =
        new Verdict.Rejected(
            String.format(
                Locale.ROOT,
                "its class is on the path %d times: %s",
                copies.size(),
                people(copies)),
            "leave one of these JARs");
    ProviderEntry copied = entry;
    return copies.stream()
        .map(location ->
            new ProviderEntry(
                copied.name(),
                copied.className(),
                location,
                copied.priority(),
                copied.specVersion(),
                verdict))
        .map(e -> new Candidate(e, null))
        .toList();
  }

  /// Where the class loader finds a class. More than one place means that chance decides which
  /// runs.
  private static Set<String> copies(String className, ClassLoader loader) {
    String resource = className.replace('.', '/') + ".class";
    return loader
        .resources(resource)
        .map(url -> Locations.holding(url.toString(), resource))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static String people(Set<String> locations) {
    return locations.stream().map(Locations::forPeople).collect(Collectors.joining(", "));
  }

  static boolean legal(String name) {
    return name != null && NAME.matcher(name).matches() && !RESERVED.contains(name);
  }

  private static Verdict identity(String name, int specVersion) {
    if (!legal(name)) {
      return new Verdict.Rejected(
          String.format(
              Locale.ROOT,
              "its name is %s, expected a letter, then letters, digits, - or _, all lower case%s, 64 at most (P1)",
              name == null ? "null" : "'" + OneLine.of(name, 64) + "'",
              RESERVED.contains(Objects.toString(name)) ? ", and not a reserved word" : ""),
          "get a fixed JAR from its author");
    }
    if (specVersion < 0
        || Spec.major(specVersion) != Spec.major(Spec.VERSION)
        || Spec.minor(specVersion) > Spec.minor(Spec.VERSION)) {
      return new Verdict.Rejected(
          String.format(
              Locale.ROOT,
              "built against spec %s, this quern-api implements %s (P2)",
              Spec.text(specVersion),
              Spec.text(Spec.VERSION)),
          specVersion > Spec.VERSION
              ? "use a newer quern-api, or an older release of this provider"
              : "use a release of this provider for spec " + Spec.text(Spec.VERSION));
    }
    return new Verdict.Ready("");
  }

  /// Rejects all providers that share a name, so that the order of the path decides nothing.
  private static List<Candidate> rejectDuplicates(List<Candidate> candidates) {
    List<Candidate> checked = new ArrayList<>();
    for (Candidate c : candidates) {
      List<ProviderEntry> same =
          candidates.stream()
              .map(Candidate::entry)
              .filter(e -> e.ready() && e.name().equals(c.entry.name()))
              .toList();
      checked.add(
          !c.entry.ready() || same.size() < 2
              ? c
              : new Candidate(
                  c.entry.withVerdict(
                      new Verdict.Rejected(
                          String.format(
                              Locale.ROOT,
                              "%d providers are called %s: %s",
                              same.size(),
                              c.entry.name(),
                              same.stream()
                                  .map(ProviderEntry::label)
                                  .collect(Collectors.joining(", "))),
                          "leave one of these JARs")),
                  null));
    }
    return checked;
  }

  /// Has those who are still ready open their kernels. What is opened too late is closed at once.
  private static List<Candidate> open(List<Candidate> candidates, Platform platform, Guard guard) {
    List<Candidate> ready = candidates.stream().filter(c -> c.entry.ready()).toList();
    List<Guard.Outcome<Availability>> answers =
        guard.ask(
            ready.stream()
                .<Callable<Availability>>map(c -> () -> c.provider.open(platform))
                .toList(),
            Catalog::closeLate);
    List<Candidate> opened = new ArrayList<>();
    candidates.stream()
        .filter(c -> !c.entry.ready())
        .forEach(c -> opened.add(new Candidate(c.entry, null)));
    for (int i = 0; i < ready.size(); i++) {
      Candidate c = ready.get(i);
      ProviderEntry entry = c.entry.withVerdict(verdict(answers.get(i)));
      opened.add(
          answers.get(i).value() instanceof Availability.Ready yes
              ? new Candidate(entry, c.provider, yes.kernels())
              : new Candidate(entry, null));
    }
    return opened;
  }

  private static void closeLate(Availability answer) {
    if (answer instanceof Availability.Ready late) {
      try {
        late.kernels().close();
      } catch (Throwable t) { // foreign code, and nobody waits for it
        warnOfClose("that answered too late", t);
      }
    }
  }

  private static Verdict verdict(Guard.Outcome<Availability> answer) {
    if (answer.thrown() != null) {
      return new Verdict.Rejected(
          "open(platform) " + Failures.threw(answer.thrown()) + " (P3)",
          Failures.remedy(answer.thrown()));
    }
    return switch (answer.value()) {
      case null ->
          new Verdict.Rejected(
              "open(platform) returned null, expected an answer (P3)",
              "get a fixed JAR from its author");
      case Availability.Ready ready -> new Verdict.Ready(ready.detail());
      case Availability.Unavailable no when no.reason().isBlank() ->
          new Verdict.Rejected(
              "open(platform) says that it can't run, and no reason (P3)",
              "get a fixed JAR from its author");
      case Availability.Unavailable no -> new Verdict.Unavailable(no.reason(), no.remedy());
    };
  }
}

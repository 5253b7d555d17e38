package dev.quern.cli.conformance;

import dev.quern.Catalog;
import dev.quern.KernelOptions;
import dev.quern.ProviderEntry;
import dev.quern.cli.console.OutputFile;
import dev.quern.cli.console.UserException;
import dev.quern.cli.register.Claim;
import dev.quern.cli.register.ClaimFile;
import dev.quern.cli.register.ClaimMaker;
import dev.quern.cli.register.Signature;
import dev.quern.cli.register.Waiver;
import dev.quern.conformance.Comparison;
import dev.quern.conformance.Coverage;
import dev.quern.conformance.CrossCheck;
import dev.quern.conformance.DeepRun;
import dev.quern.conformance.Largest;
import dev.quern.conformance.ModelKernel;
import dev.quern.conformance.Plan;
import dev.quern.conformance.Selection;
import dev.quern.conformance.Settings;
import dev.quern.conformance.Steps;
import dev.quern.conformance.Suite;
import dev.quern.conformance.SuiteResult;
import dev.quern.conformance.Support;
import dev.quern.conformance.Target;
import dev.quern.conformance.report.Cost;
import dev.quern.conformance.report.Environment;
import dev.quern.conformance.report.Extent;
import dev.quern.conformance.report.Origin;
import dev.quern.conformance.report.Report;
import dev.quern.conformance.report.Stopwatch;
import dev.quern.conformance.report.Tested;
import dev.quern.files.OutputException;
import dev.quern.measure.PeakMemory;
import dev.quern.spi.KernelProvider;
import dev.quern.spi.Platform;
import java.io.IOException;
import java.net.URI;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// What [ConformanceCommand] does: finds the providers, runs the suite on one or compares two,
/// prints and writes the reports.
final class ConformanceRun implements AutoCloseable {
  private final ConformanceCommand command;
  private final Settings settings;
  private final List<Path> jars;
  private final Catalog catalog;
  private final long start = System.nanoTime();

  ConformanceRun(ConformanceCommand command) {
    this.command = command;
    this.settings = settings(command);
    this.jars = command.jars.stream().map(Path::toAbsolutePath).map(Path::normalize).toList();
    KernelOptions system = KernelOptions.fromSystem();
    this.catalog =
        Catalog.scan(
            new KernelOptions(
                system.properties(),
                system.platform(),
                ProviderJars.loader(jars, system.loader())));
  }

  /// Closes the kernels of all that were found.
  @Override
  public void close() {
    catalog.close();
  }

  int call() throws IOException {
    prepareFiles();
    List<ModelKernel> models = ConformanceModels.kernels(command.models);
    Environment environment = Environment.current(catalog.platform());
    if (command.deep) {
      ProviderEntry entry = command.provider == null ? onlyOneOfJars() : entry(command.provider);
      try (Target target = target(ready(entry))) {
        return new ConformanceDeep(command, settings, environment)
            .call(
                target,
                selection(),
                models,
                Origin.of(ready(entry), location(entry)),
                Stream.concat(jars.stream(), path(entry).stream()).toList(),
                replayCommand(entry));
      }
    }
    Optional<Tested> tested =
        command.provider == null && !command.compare.isEmpty()
            ? Optional.empty()
            : Optional.of(
                test(command.provider == null ? onlyOneOfJars() : entry(command.provider), models));
    Optional<Comparison> comparison =
        command.compare.isEmpty()
            ? Optional.empty()
            : Optional.of(
                compare(entry(command.compare.getFirst()), entry(command.compare.get(1))));
    if (command.claim != null) {
      claim(tested.orElseThrow(), environment);
    }
    Cost cost = Cost.now((System.nanoTime() - start) / 1e9, PeakMemory.residentBytes());
    Report report = new Report(environment, tested, comparison, Optional.of(cost));
    command.console().out().print(report.text());
    if (command.report != null) {
      for (Path file : report.write(command.report)) {
        command.console().err().println("quern: wrote " + file);
      }
    }
    return report.green() ? 0 : 1;
  }

  private void claim(Tested tested, Environment environment) throws IOException {
    ProviderEntry entry = entry(tested.origin().name());
    List<Waiver> waivers = command.waivers == null ? List.of() : Waiver.read(command.waivers);
    Claim claim =
        ClaimMaker.of(tested.result(), environment, ready(entry), binaries(entry), waivers);
    ClaimFile file = ClaimFile.write(claim, command.claim);
    command.console().err().println("quern: wrote " + command.claim);
    if (command.sign != null) {
      Signature.write(file, Signature.privateKey(command.sign), command.claim);
      command.console().err().println("quern: wrote " + Signature.of(command.claim));
    }
  }

  /// What the suite finds now, as a report that is not written.
  Claim claim() throws IOException {
    ProviderEntry entry = entry(command.provider);
    Environment environment = Environment.current(catalog.platform());
    return ClaimMaker.of(
        test(entry, List.of()).result(), environment, ready(entry), binaries(entry), List.of());
  }

  /// The platform that providers are shown.
  Platform platform() {
    return catalog.platform();
  }

  /// A provider's own JAR or folder, then those that were named besides.
  List<Path> binaries(String name) {
    return binaries(entry(name));
  }

  private List<Path> binaries(ProviderEntry entry) {
    return Stream.concat(path(entry).stream(), jars.stream()).distinct().toList();
  }

  /// Before a minute of work, what would fail after it.
  private void prepareFiles() throws IOException {
    OutputFile breadcrumb =
        new OutputFile("quern.conformance.breadcrumb", settings.breadcrumb().orElse(null));
    List<Path> inputs = Stream.concat(jars.stream(), command.models.stream()).toList();
    OutputFile.check(List.of(breadcrumb), inputs);
    if (command.claim != null) {
      Path signature = command.sign == null ? null : Signature.of(command.claim);
      OutputFile.check(
          List.of(new OutputFile("--claim", command.claim), new OutputFile("--sign", signature)),
          Stream.concat(
                  inputs.stream(),
                  Stream.of(command.waivers, command.sign).filter(Objects::nonNull))
              .toList());
    }
    if (command.waivers != null) {
      Waiver.read(command.waivers);
    }
    if (command.sign != null) {
      Signature.privateKey(command.sign);
    }
    if (command.report != null) {
      try {
        Report.prepare(command.report);
      } catch (OutputException e) {
        throw new UserException("--report: " + e.getMessage(), e);
      } catch (FileSystemException e) {
        throw new UserException(
            String.format(
                Locale.ROOT,
                "--report: %s, expected a folder, or a place where one can be made (%s)",
                command.report,
                e),
            e);
      }
    }
    if (command.deep) { // in the folder that was made a moment ago, it may be
      List<OutputFile> files = new ArrayList<>(List.of(breadcrumb));
      if (command.report != null) {
        Report.files(command.report).forEach(f -> files.add(new OutputFile("--report", f)));
      }
      files.add(new OutputFile("--state", ConformanceDeep.state(command)));
      OutputFile.check(files, inputs);
    }
  }

  private static Settings settings(ConformanceCommand c) {
    List<String> known = Suite.operators();
    if (!known.containsAll(c.operators)) {
      throw new UserException(
          String.format(
              Locale.ROOT,
              "--operator=%s, expected some of %s",
              String.join(",", c.operators),
              known),
          null);
    }
    try {
      Settings system = Settings.fromSystemProperties();
      return new Settings(
          c.tries != null
              ? c.tries
              : c.quick ? Settings.QUICK_TRIES : c.deep ? DeepRun.TRIES : system.tries(),
          c.seed == null ? system.seed() : c.seed,
          c.replay == null ? system.replay() : Optional.of(c.replay),
          system.breadcrumb());
    } catch (IllegalArgumentException e) {
      throw new UserException(e.getMessage(), e);
    }
  }

  private Tested test(ProviderEntry entry, List<ModelKernel> models) {
    KernelProvider provider = ready(entry);
    Plan plan = new Plan(models, new Coverage(), Steps.all());
    Stopwatch stopwatch = new Stopwatch();
    SuiteResult result;
    try (ConformanceProgress progress = new ConformanceProgress(command.console());
        Target target = target(provider)) {
      result =
          Suite.run(
              target,
              settings,
              selection(),
              plan,
              cell -> {
                stopwatch.accept(cell);
                progress.tested(cell);
              });
    } catch (IllegalArgumentException e) {
      throw replayMistake(e);
    }
    return new Tested(
        Origin.of(provider, location(entry)),
        result,
        stopwatch.nanos(),
        replayCommand(entry),
        Optional.of(new Extent(mode(), plan.coverage().table(Largest.inModels()))));
  }

  private List<String> mode() {
    return command.quick
        ? List.of(
            String.format(
                Locale.ROOT,
                "quick: %d tries in place of %d, and as much less of what goes with them: cases at the sizes of models, long sequences of calls",
                settings.tries(),
                Settings.DEFAULT_TRIES))
        : List.of();
  }

  private Target target(KernelProvider provider) {
    return new Target(provider, catalog.platform(), Support.of(provider));
  }

  /// The operators, and with them always what the provider is and declares.
  private Selection selection() {
    Set<String> operators = new LinkedHashSet<>(command.operators);
    if (!operators.isEmpty()) {
      operators.add("provider");
    }
    return new Selection(operators, Set.of(), Set.of());
  }

  private Comparison compare(ProviderEntry first, ProviderEntry second) {
    try (ConformanceProgress progress = new ConformanceProgress(command.console());
        Target one = target(ready(first));
        Target other = target(ready(second))) {
      return CrossCheck.run(one, other, settings, selection(), progress::compared);
    } catch (IllegalArgumentException e) {
      throw replayMistake(e);
    }
  }

  /// What a kernel throws is a failure of a case; only a replay string that can't be read gets
  /// here.
  private RuntimeException replayMistake(IllegalArgumentException e) {
    return settings.replay().isPresent() ? new UserException(e.getMessage(), e) : e;
  }

  private ProviderEntry onlyOneOfJars() {
    List<ProviderEntry> ours =
        catalog.entries().stream().filter(e -> jars.contains(path(e).orElse(null))).toList();
    if (ours.size() != 1) {
      throw new UserException(
          ours.isEmpty()
              ? String.format(
                  Locale.ROOT,
                  "no provider in %s: expected META-INF/services/%s in one of them",
                  command.jars,
                  KernelProvider.class.getName())
              : String.format(
                  Locale.ROOT,
                  "%d providers in %s: say which with --provider, one of %s",
                  ours.size(),
                  command.jars,
                  names(ours)),
          null);
    }
    return ours.getFirst();
  }

  private ProviderEntry entry(String name) {
    List<ProviderEntry> entries = catalog.entries();
    return entries.stream()
        .filter(e -> e.name().equals(name))
        .findFirst()
        .orElseThrow(() ->
            new UserException(
                String.format(Locale.ROOT, "no provider %s, found %s", name, names(entries)),
                null));
  }

  private KernelProvider ready(ProviderEntry entry) {
    return catalog
        .ready(entry.name())
        .orElseThrow(() ->
            new UserException(
                String.format(
                    Locale.ROOT,
                    "provider %s (%s) is %s",
                    entry.name(),
                    location(entry),
                    entry.verdict().text()),
                null));
  }

  private static String names(List<ProviderEntry> entries) {
    return entries.isEmpty()
        ? "none"
        : entries.stream()
            .map(e ->
                e.ready()
                    ? e.name()
                    : String.format(Locale.ROOT, "%s (%s)", e.name(), e.verdict().text()))
            .collect(Collectors.joining(", "));
  }

  private static String location(ProviderEntry entry) {
    return path(entry).map(Path::toString).orElse(entry.location());
  }

  private static Optional<Path> path(ProviderEntry entry) {
    try {
      URI uri = URI.create(entry.location());
      return "file".equals(uri.getScheme()) ? Optional.of(Path.of(uri)) : Optional.empty();
    } catch (IllegalArgumentException _) {
      return Optional.empty(); // a class loader may call it anything
    }
  }

  private String replayCommand(ProviderEntry entry) {
    return String.format(
        Locale.ROOT,
        "./quern conformance --provider %s %s--replay ",
        entry.name(),
        command.jars.stream().map(j -> "--jar " + j + " ").collect(Collectors.joining()));
  }
}

package dev.quern.cli.conformance;

import dev.quern.Catalog;
import dev.quern.KernelOptions;
import dev.quern.Operator;
import dev.quern.ProviderEntry;
import dev.quern.Selfcheck;
import dev.quern.SelfcheckFailure;
import dev.quern.cli.console.Console;
import dev.quern.cli.console.UserException;
import dev.quern.conformance.CompiledCheck;
import dev.quern.conformance.CompiledCheck.Result;
import dev.quern.conformance.Support;
import dev.quern.conformance.Target;
import dev.quern.conformance.judge.Outcome;
import dev.quern.spi.Jit;
import dev.quern.spi.KernelProvider;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/// What [SelfcheckCommand] does: checks providers one by one, prints and stores what was wrong.
final class SelfcheckRun {
  private final Console console;
  private final KernelOptions options;
  private final Set<String> wanted;

  /// @param wanted names of providers; empty means all that are ready
  SelfcheckRun(Console console, KernelOptions options, Set<String> wanted) {
    this.console = console;
    this.options = options;
    this.wanted = wanted;
  }

  int call() throws IOException {
    try (Catalog catalog = Catalog.scan(options)) {
      return check(catalog);
    }
  }

  private int check(Catalog catalog) throws IOException {
    if (catalog.platform().jit() != Jit.C2) {
      throw new UserException(
          String.format(
              Locale.ROOT,
              "selfcheck: it looks for errors of the C2 compiler, and this JVM runs with %s; start without -Xint, -client and -XX:TieredStopAtLevel",
              catalog.platform().jit()),
          null);
    }
    Selfcheck.read(options); // a file that can't be understood fails now, and not in a minute
    List<ProviderEntry> ready = catalog.entries().stream().filter(ProviderEntry::ready).toList();
    List<String> names = ready.stream().map(ProviderEntry::name).toList();
    if (!names.containsAll(wanted) || names.isEmpty()) {
      throw new UserException(
          String.format(
              Locale.ROOT,
              "selfcheck: provider %s, expected some of %s, which can run here; `quern explain` says why others can't",
              wanted.isEmpty() ? "" : String.join(",", wanted),
              names),
          null);
    }
    boolean right = true;
    for (ProviderEntry entry : ready) {
      if (wanted.isEmpty() || wanted.contains(entry.name())) {
        right &= check(entry, catalog);
      }
    }
    return right ? 0 : 1;
  }

  private boolean check(ProviderEntry entry, Catalog catalog) throws IOException {
    Selfcheck stored = Selfcheck.read(options);
    long start = System.nanoTime();
    console.err().printf(Locale.ROOT, "quern: checking %s ...%n", entry.name());
    List<Result> results;
    KernelProvider provider = catalog.ready(entry.name()).orElseThrow();
    try (Target target = new Target(provider, catalog.platform(), Support.of(provider))) {
      results = CompiledCheck.run(target, this::print);
    }
    List<Result> wrong = results.stream().filter(r -> !r.passed()).toList();
    Map<String, SelfcheckFailure> failures = new LinkedHashMap<>();
    for (Result r : wrong) {
      SelfcheckFailure failure =
          stored.failure(
              entry, Operator.byId(r.operator()).orElseThrow(), r.spec(), r.variant(), because(r));
      failures.putIfAbsent(r.operator() + failure.subject() + failure.variant(), failure);
    }
    stored.store(entry, List.copyOf(failures.values()));
    console
        .out()
        .printf(
            Locale.ROOT,
            "%s: %d of %d variants right, %d calls, %.0f s (%s)%n",
            entry.name(),
            results.size() - wrong.size(),
            results.size(),
            results.stream().mapToLong(Result::calls).sum(),
            (System.nanoTime() - start) / 1e9,
            results.stream()
                .collect(
                    Collectors.groupingBy(
                        Result::operator, LinkedHashMap::new, Collectors.counting()))
                .entrySet()
                .stream()
                .map(e -> e.getKey() + " " + e.getValue())
                .collect(Collectors.joining(", ")));
    if (!wrong.isEmpty()) {
      console
          .out()
          .printf(
              Locale.ROOT,
              "  what was wrong will not run again with this JVM, CPU and JAR: recorded in %s%n",
              Selfcheck.file(options));
    }
    return wrong.isEmpty();
  }

  private void print(Result r) {
    if (!r.passed()) {
      console
          .out()
          .printf(
              Locale.ROOT,
              "WRONG: %s, variant %s: %s%n  replay: %s%n",
              r.spec(),
              r.variant().name(),
              because(r),
              r.replay());
    }
  }

  private static String because(Result r) {
    return r.outcome() instanceof Outcome.Fail f
        ? String.format(
            Locale.ROOT,
            "%s is %s, expected %s%s",
            f.where(),
            f.actual(),
            f.expected(),
            f.bound().isEmpty() ? "" : " within " + f.bound())
        : "";
  }
}

package dev.quern.cli.register;

import dev.quern.cli.register.Claim.Count;
import dev.quern.cli.register.Claim.Result;
import dev.quern.conformance.CellResult;
import dev.quern.conformance.Failure;
import dev.quern.conformance.SuiteResult;
import dev.quern.conformance.report.Environment;
import dev.quern.conformance.report.Origin;
import dev.quern.spi.Availability;
import dev.quern.spi.KernelProvider;
import dev.quern.spi.Platform;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/// Makes a report of what the suite has found.
public final class ClaimMaker {
  private static final int MOST_CHARACTERS = 300;

  private ClaimMaker() {}

  /// @param binaries the provider's own JAR or folder first
  /// @param waivers those there are; what they don't excuse is left out
  public static Claim of(
      SuiteResult result,
      Environment environment,
      KernelProvider provider,
      List<Path> binaries,
      List<Waiver> waivers)
      throws IOException {
    Origin origin = Origin.of(provider, "");
    List<Result> results = results(result);
    List<Claim.HashedFile> files = new ArrayList<>();
    for (Path file : binaries) {
      files.add(new Claim.HashedFile(file.getFileName().toString(), ContentHash.of(file)));
    }
    return new Claim(
        environment.specVersion(),
        SuiteHash.here(),
        machine(environment),
        new Claim.Provider(
            origin.name(),
            origin.version(),
            origin.className(),
            result.availability() instanceof Availability.Ready ready
                ? printable(ready.detail())
                : "",
            files,
            declares(provider)),
        new Claim.Run(result.settings().tries(), result.settings().seed(), environment.when()),
        results,
        findings(result),
        waivers.stream()
            .filter(w ->
                results.stream()
                    .anyMatch(r -> r.count().failed() > 0 && w.covers(origin.name(), r)))
            .toList());
  }

  private static Claim.Machine machine(Environment e) {
    Platform p = e.platform();
    return new Claim.Machine(
        p.os(),
        p.arch(),
        p.cpuFeatures().stream().sorted().toList(),
        p.jit(),
        e.jdk(),
        e.vm(),
        e.processors(),
        flags(p));
  }

  /// The JVM's flags that decide what becomes of hot code, a line each.
  public static Map<String, String> flags(Platform platform) {
    Map<String, String> flags = new TreeMap<>();
    platform.flags().forEach((name, value) -> flags.put(name, printable(value)));
    return flags;
  }

  private static List<String> declares(KernelProvider provider) throws IOException {
    String path = "META-INF/quern/" + provider.name() + ".support";
    try (InputStream in = provider.getClass().getModule().getResourceAsStream(path)) {
      return in == null // the suite has said so
          ? List.of()
          : new String(in.readAllBytes(), StandardCharsets.UTF_8)
              .lines()
              .map(l -> printable(l.replaceFirst("#.*", "").strip()))
              .filter(l -> !l.isEmpty())
              .toList();
    }
  }

  /// Of each check on each kind of spec, those apart of which all cases were declined: they are no
  /// results.
  private static List<Result> results(SuiteResult result) {
    Map<String, Result> all = new LinkedHashMap<>();
    for (CellResult c : result.cells()) {
      Result one = new Result(c.operator(), c.subject(), c.testName(), count(c));
      all.merge(one.title(), one, ClaimMaker::plus);
    }
    return all.values().stream().filter(r -> r.count().declined() < r.count().all()).toList();
  }

  private static Count count(CellResult c) {
    long declined =
        c.skips().entrySet().stream()
            .filter(e -> e.getKey().startsWith("declined: "))
            .mapToLong(Map.Entry::getValue)
            .sum();
    long skips = c.skips().values().stream().mapToLong(Integer::longValue).sum();
    return new Count(c.passes(), c.failures(), declined, skips - declined);
  }

  private static Result plus(Result a, Result b) {
    Count x = a.count();
    Count y = b.count();
    return new Result(
        a.operator(),
        a.subject(),
        a.check(),
        new Count(
            x.passed() + y.passed(),
            x.failed() + y.failed(),
            x.declined() + y.declined(),
            x.skipped() + y.skipped()));
  }

  /// The first of each check on each kind of spec.
  private static List<Claim.Finding> findings(SuiteResult result) {
    Map<String, Claim.Finding> all = new LinkedHashMap<>();
    for (CellResult c : result.cells()) {
      String title = c.operator() + " " + c.subject() + " " + c.testName();
      c.firstFailure().ifPresent(f -> all.putIfAbsent(title, finding(c, f)));
    }
    for (CellResult c : result.cells()) { // of a class of shapes without an example
      String title = c.operator() + " " + c.subject() + " " + c.testName();
      if (c.failures() > 0) {
        all.putIfAbsent(
            title, new Claim.Finding(c.operator(), c.subject(), c.testName(), "", "no example"));
      }
    }
    return List.copyOf(all.values());
  }

  private static Claim.Finding finding(CellResult c, Failure f) {
    String bound =
        f.outcome().bound().isEmpty()
            ? ""
            : String.format(Locale.ROOT, ", %.3g x the bound", f.outcome().ratio());
    return new Claim.Finding(
        c.operator(),
        c.subject(),
        c.testName(),
        printable(f.replay()),
        printable(
            String.format(
                Locale.ROOT,
                "%s at %s: expected %s, found %s%s",
                f.rule(),
                f.outcome().where(),
                f.outcome().expected(),
                f.outcome().actual(),
                bound)));
  }

  /// One line, of a length that can be read. A replay string is never that long.
  private static String printable(String text) {
    String line = text.replaceAll("[\\p{Cntrl}\\u0080-\\u009f]+", " ").strip();
    return line.length() <= MOST_CHARACTERS * 4
        ? line
        : line.substring(0, MOST_CHARACTERS) + " ...";
  }
}

package dev.quern.cli.register;

import dev.quern.cli.console.UserException;
import dev.quern.cli.register.Claim.Result;
import dev.quern.conformance.Settings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The page of a folder of reports: a function of them alone.
public final class RegisterPage {
  private RegisterPage() {}

  /// Markdown.
  ///
  /// @throws UserException if the folder has no reports, or one of them can't be read
  public static String of(Path folder) throws IOException {
    Map<String, Claim> claims = read(folder);
    StringBuilder s = new StringBuilder();
    s.append(
        """
        # Results of conformance

        Written by `quern conformance register docs/register` from the reports beside it, and not by hand. What a report says, and what it
        proves: [register.md](../register.md). What was found in kernels that others wrote: [findings.md](findings.md).

        """);
    results(s, claims);
    broken(s, claims);
    waivers(s, claims);
    return s.toString();
  }

  /// The reports, by name.
  public static Map<String, Claim> read(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      throw new UserException(folder + " is no folder, expected one of reports");
    }
    Map<String, Claim> claims = new TreeMap<>();
    for (Path file : reports(folder)) {
      claims.put(file.getFileName().toString(), ClaimFile.read(file).claim());
    }
    if (claims.isEmpty()) {
      throw new UserException(folder + " has no reports, expected files *.json");
    }
    return claims;
  }

  /// The reports' files, in order.
  public static List<Path> reports(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(f -> f.toString().endsWith(".json")).sorted().toList();
    }
  }

  private static void results(StringBuilder s, Map<String, Claim> claims) {
    row(
        s,
        "report",
        "provider",
        "on",
        "SPEC.md",
        "tries",
        "kinds of spec",
        "checks",
        "cases passed",
        "verdict");
    row(s, "---", "---", "---", "---", "---", "---", "---", "---", "---");
    claims.forEach((file, c) -> {
      long broken = c.results().stream().filter(r -> r.count().failed() > 0).count();
      row(
          s,
          String.format(Locale.ROOT, "[%s](%s)", file.replaceFirst("\\.json$", ""), file),
          c.provider().name() + " " + c.provider().version(),
          on(c),
          c.spec(),
          c.run().tries() + (c.run().tries() < Settings.DEFAULT_TRIES ? " (quick)" : ""),
          Integer.toString(kinds(c)),
          Integer.toString(c.results().size()),
          String.format(
              Locale.ROOT, "%,d", c.results().stream().mapToLong(r -> r.count().passed()).sum()),
          broken == 0
              ? "keeps it"
              : excused(c)
                  ? String.format(Locale.ROOT, "keeps it but for %d checks, waived", broken)
                  : String.format(Locale.ROOT, "breaks %d checks", broken));
    });
  }

  private static String on(Claim c) {
    return String.format(
        Locale.ROOT,
        "%s %s, %s",
        c.machine().os(),
        c.machine().arch(),
        cell(c.provider().detail()));
  }

  private static boolean excused(Claim c) {
    return c.results().stream()
        .filter(r -> r.count().failed() > 0)
        .allMatch(r -> c.waivers().stream().anyMatch(w -> w.covers(c.provider().name(), r)));
  }

  /// Kinds of spec for which a kernel was called.
  private static int kinds(Claim c) {
    Set<String> kinds = new LinkedHashSet<>();
    for (Result r : c.results()) {
      if (!r.operator().equals("provider") && !Set.of("P4", "support").contains(r.rule())) {
        kinds.add(r.operator() + " " + r.subject());
      }
    }
    return kinds.size();
  }

  private static void broken(StringBuilder s, Map<String, Claim> claims) {
    s.append(
        "\n## What is broken\n\nOne case for each check, the smallest found, and on which kinds of spec.\n\n");
    row(s, "report", "check", "kinds of spec", "found", "replay");
    row(s, "---", "---", "---", "---", "---");
    boolean none = true;
    for (Map.Entry<String, Claim> e : claims.entrySet()) {
      Map<String, List<Claim.Finding>> checks = new LinkedHashMap<>();
      for (Claim.Finding f : e.getValue().findings()) {
        checks.computeIfAbsent(f.operator() + " " + f.check(), k -> new ArrayList<>()).add(f);
      }
      for (Map.Entry<String, List<Claim.Finding>> check : checks.entrySet()) {
        none = false;
        Claim.Finding first = check.getValue().getFirst();
        row(
            s,
            e.getKey().replaceFirst("\\.json$", ""),
            check.getKey(),
            check.getValue().stream().map(Claim.Finding::subject).collect(Collectors.joining(", ")),
            cell(first.what()),
            "`" + cell(first.replay()) + "`");
      }
    }
    if (none) {
      row(s, "none", "", "", "", "");
    }
  }

  private static void waivers(StringBuilder s, Map<String, Claim> claims) {
    s.append("\n## Waivers\n\n");
    row(s, "report", "rule", "kinds of spec", "until", "reason");
    row(s, "---", "---", "---", "---", "---");
    boolean none = true;
    for (Map.Entry<String, Claim> e : claims.entrySet()) {
      for (Waiver w : e.getValue().waivers()) {
        none = false;
        row(
            s,
            e.getKey().replaceFirst("\\.json$", ""),
            w.rule(),
            w.format(),
            w.until().toString(),
            String.format(Locale.ROOT, "%s ([more](%s))", cell(w.reason()), cell(w.link())));
      }
    }
    if (none) {
      row(s, "none", "", "", "", "");
    }
  }

  private static void row(StringBuilder s, String... cells) {
    s.append("| ").append(String.join(" | ", cells)).append(" |\n");
  }

  /// What would end a cell, or begin markup, is no part of it.
  private static String cell(String text) {
    return text.replace("|", "\\|").replace("<", "&lt;").replace("`", "'");
  }
}

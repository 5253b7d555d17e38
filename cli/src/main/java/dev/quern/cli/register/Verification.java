package dev.quern.cli.register;

import dev.quern.cli.register.Claim.Count;
import dev.quern.cli.register.Claim.Result;
import dev.quern.conformance.MustPass;
import dev.quern.conformance.Settings;
import dev.quern.conformance.Support;
import dev.quern.spi.Spec;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// What is wrong with a report, by itself and against the suite that runs here.
public final class Verification {
  /// What a problem is about.
  public enum Kind {
    /// The report was edited, or damaged.
    DIGEST,
    /// Another suite made it than the one that runs here.
    SUITE,
    /// Something of the must-pass list is not there.
    MUST_PASS,
    /// A rule is broken, and not excused.
    BROKEN,
    /// A waiver is over, or excuses nothing.
    WAIVER
  }

  /// @param text one line
  public record Problem(Kind kind, String text) {}

  /// What is checked on a kind of spec's own cases, if the provider declares any of them.
  private static final String RUNS = "P5_runs_what_it_accepts";

  /// What is checked of offers, declined ones too.
  private static final Set<String> OFFERS = Set.of("P4_same_answer", "support_as_declared");

  private final Claim claim;
  private final LocalDate day;
  private final List<Problem> problems = new ArrayList<>();

  private Verification(Claim claim, LocalDate day) {
    this.claim = claim;
    this.day = day;
  }

  /// All that is wrong; nothing where the report stands.
  ///
  /// @param suite the suite that runs here
  /// @param day on which waivers must hold
  public static List<Problem> of(ClaimFile file, SuiteHash suite, LocalDate day) {
    if (!file.intact()) {
      return List.of(
          new Problem(
              Kind.DIGEST, "the digest is not that of the report, which was edited or damaged"));
    }
    Verification v = new Verification(file.claim(), day);
    v.suite(suite);
    if (v.problems.isEmpty()) { // another suite has another list
      v.mustPass();
    }
    v.broken();
    v.waivers();
    return List.copyOf(v.problems);
  }

  private void suite(SuiteHash here) {
    String spec = Spec.text(Spec.VERSION);
    if (!claim.spec().equals(spec)) {
      add(Kind.SUITE, "it is about SPEC.md %s, and this suite about %s", claim.spec(), spec);
    } else if (!claim.suite().rules().equals(here.rules())) {
      add(
          Kind.SUITE,
          "its suite has other rules (%s) than this one (%s)",
          start(claim.suite().rules()),
          start(here.rules()));
    } else if (!claim.suite().classes().equals(here.classes())) {
      add(
          Kind.SUITE,
          "another suite made it (%s) than this one (%s): renew it, or verify it with that one",
          start(claim.suite().classes()),
          start(here.classes()));
    }
  }

  private static String start(String hash) {
    return hash.substring(0, 12);
  }

  private void mustPass() {
    if (claim.run().tries() < Settings.QUICK_TRIES) {
      add(
          Kind.MUST_PASS,
          "it has %d tries, expected at least %d",
          claim.run().tries(),
          Settings.QUICK_TRIES);
      return;
    }
    Support support;
    try {
      support = Support.parse("declares", String.join("\n", claim.provider().declares()));
    } catch (IllegalArgumentException e) {
      add(Kind.MUST_PASS, "its declaration can't be read: %s", e.getMessage());
      return;
    }
    Map<String, Count> results = new HashMap<>();
    claim.results().forEach(r -> results.put(r.title(), r.count()));
    Settings settings = new Settings(claim.run().tries(), claim.run().seed(), Optional.empty());
    List<MustPass> all = MustPass.of(support, claim.machine().platform(), settings);
    Set<String> declared = new HashSet<>();
    for (MustPass m : all) {
      if (m.check().equals(RUNS)) {
        declared.add(m.operator() + " " + m.subject());
      }
    }
    Set<String> broken = new HashSet<>(); // of a kernel that is wrong anyway much can't be judged
    for (Result r : claim.results()) {
      if (r.count().failed() > 0) {
        broken.add(r.operator() + " " + r.subject());
      }
    }
    for (MustPass m : all) {
      if (!m.operator().equals("provider")
          && !OFFERS.contains(m.check())
          && !declared.contains(m.operator() + " " + m.subject())) {
        continue; // its cases are of another kind of spec: a large one of a window has none
      }
      String title = m.operator() + " " + m.subject() + " " + m.check();
      Count count = results.get(title);
      if (count == null) {
        add(Kind.MUST_PASS, "%s is missing", title);
      } else if (count.all() < m.cases()) {
        add(Kind.MUST_PASS, "%s has %d cases, expected at least %d", title, count.all(), m.cases());
      } else if (count.passed() + count.failed() == 0
          && !m.conditional()
          && !broken.contains(m.operator() + " " + m.subject())) {
        add(Kind.MUST_PASS, "%s was checked in none of its %d cases", title, count.all());
      }
    }
  }

  private void broken() {
    Set<String> found = new HashSet<>();
    claim.findings().forEach(f -> found.add(f.operator() + " " + f.subject() + " " + f.check()));
    for (Result r : claim.results()) {
      if (r.count().failed() > 0) {
        if (!found.remove(r.title())) {
          add(Kind.BROKEN, "%s is broken, and no finding says how", r.title());
        }
        if (claim.waivers().stream().noneMatch(w -> w.covers(claim.provider().name(), r))) {
          add(
              Kind.BROKEN,
              "%s is broken in %d of %d cases, and no waiver excuses it",
              r.title(),
              r.count().failed(),
              r.count().all());
        }
      }
    }
    found.forEach(f -> add(Kind.BROKEN, "%s has a finding, and nothing is broken", f));
  }

  private void waivers() {
    for (Waiver w : claim.waivers()) {
      String title = String.format(Locale.ROOT, "the waiver of %s for %s", w.rule(), w.format());
      if (!w.holds(day)) {
        add(Kind.WAIVER, "%s ended on %s", title, w.until());
      }
      if (claim.results().stream()
          .noneMatch(r -> r.count().failed() > 0 && w.covers(claim.provider().name(), r))) {
        add(Kind.WAIVER, "%s excuses nothing that is broken", title);
      }
    }
  }

  private void add(Kind kind, String format, Object... arguments) {
    problems.add(new Problem(kind, String.format(Locale.ROOT, format, arguments)));
  }

  /// How two runs of the same report differ: one line for each check.
  public static List<String> differences(Claim said, Claim again) {
    Map<String, Count> here = new HashMap<>();
    again.results().forEach(r -> here.put(r.title(), r.count()));
    List<String> all = new ArrayList<>();
    for (Result r : said.results()) {
      Count count = here.remove(r.title());
      if (!r.count().equals(count)) {
        all.add(
            String.format(
                Locale.ROOT,
                "%s: the report says %s, and here it is %s",
                r.title(),
                text(r.count()),
                count == null ? "not checked" : text(count)));
      }
    }
    here.forEach((title, count) ->
        all.add(
            String.format(
                Locale.ROOT,
                "%s: the report says nothing, and here it is %s",
                title,
                text(count))));
    return all;
  }

  private static String text(Count c) {
    return String.format(
        Locale.ROOT,
        "%d passed, %d failed, %d declined, %d skipped",
        c.passed(),
        c.failed(),
        c.declined(),
        c.skipped());
  }
}

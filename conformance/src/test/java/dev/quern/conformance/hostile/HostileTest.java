package dev.quern.conformance.hostile;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.conformance.Hunt;
import dev.quern.conformance.Settings;
import dev.quern.conformance.Target;
import dev.quern.testing.LeftOut;
import dev.quern.testing.LeftOut.Asked;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The suite's default settings kill each hostile provider: one of every kind in every build, three
/// with `-Dquern.full=true`, all with `-Dquern.exhaustive=true`. They run in processes of their
/// own, since some end or hang.
///
/// `-Dquern.hostile.table=true` runs all and writes `docs/conformance-hostile.md`;
/// `-Dquern.hostile=ID,...` runs some.
class HostileTest {
  /// What a provider of each kind, and no more, costs a build.
  private static final int SAMPLE_OF_A_KIND = Asked.FULL.yes() ? 3 : 1;

  /// No case takes longer; one that hangs takes as long.
  private static final Duration LIMIT = Duration.ofSeconds(120);

  private static final int PROCESSES = 2;

  @TempDir static Path dir;

  @TestFactory
  Stream<DynamicTest> theSuiteKillsIt() throws IOException {
    boolean table = Boolean.getBoolean("quern.hostile.table");
    List<Hostile> chosen = table ? Hostiles.all() : chosen();
    Map<String, Death> deaths =
        new Trials(dir, PROCESSES, LIMIT)
            .run(chosen.stream().map(Hostile::id).toList(), HostileTable.read(), d -> {});
    if (table) {
      HostileTable.write(Before.read(), deaths);
    }
    return chosen.stream()
        .map(h ->
            DynamicTest.dynamicTest(
                h.id(),
                () ->
                    assertTrue(
                        deaths.get(h.id()).died(),
                        () -> String.format(Locale.ROOT, "%s survives: %s", h, h.sentence()))));
  }

  private static List<Hostile> chosen() {
    String ids = System.getProperty("quern.hostile", "");
    if (!ids.isEmpty()) {
      return Stream.of(ids.split(",")).map(Hostiles::byId).toList();
    }
    Map<Kind, Integer> seen = new EnumMap<>(Kind.class);
    Map<Kind, Long> of =
        Hostiles.all().stream()
            .collect(Collectors.groupingBy(Hostile::kind, Collectors.counting()));
    // Spread over a kind's list, in which those of an operator stand together.
    List<Hostile> sample =
        Hostiles.all().stream()
            .filter(h ->
                (seen.merge(h.kind(), 1, Integer::sum) - 1)
                        % Math.ceilDiv(of.get(h.kind()), SAMPLE_OF_A_KIND)
                    == 0)
            .toList();
    return LeftOut.some(
        HostileTest.class, Asked.EXHAUSTIVE, "hostile providers", Hostiles.all(), sample);
  }

  @ParameterizedTest
  @ValueSource(strings = {"linear", "attention", "rmsnorm", "rope", "swiglu"})
  void withoutAFaultItKeepsEveryRule(String operator) {
    if (operator.equals("linear") || operator.equals("attention")) {
      LeftOut.unlessFull(getClass(), "the whole suite on " + operator + " without a fault");
    }
    Hunt hunt =
        new Hunt(
            Target.here(new HostileProvider()), new Settings(1, 1, Optional.empty()), operator);
    assertEquals(Optional.empty(), hunt.byAny((check, subject) -> 0));
  }

  @Test
  void theTableListsThemAll() throws IOException {
    Set<String> expected = ids(Hostiles.all());
    assertEquals(Hostiles.all().size(), expected.size(), "ids are unique");
    assertEquals(expected, new TreeSet<>(HostileTable.read().keySet()));
    assertEquals(expected, new TreeSet<>(Before.read().keySet()));
  }

  @Test
  void thereAreTwentyFiveOfEachKind() {
    for (Kind kind : Kind.values()) {
      long of = Hostiles.all().stream().filter(h -> h.kind() == kind).count();
      assertTrue(of >= 25, kind + ": " + of);
    }
  }

  private static Set<String> ids(List<Hostile> some) {
    return some.stream().map(Hostile::id).collect(Collectors.toCollection(TreeSet::new));
  }
}

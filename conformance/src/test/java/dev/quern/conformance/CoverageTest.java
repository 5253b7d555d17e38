package dev.quern.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.conformance.cases.CaseText;
import dev.quern.conformance.cases.Values;
import dev.quern.conformance.judge.Outcome;
import dev.quern.conformance.rows.SwiGluCase;
import dev.quern.op.Activation;
import dev.quern.provider.scalar.ScalarProvider;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.junit.jupiter.api.Test;

class CoverageTest {
  private static final Outcome FAILED = new Outcome.Fail("y", "1", "2");

  private final Coverage coverage = new Coverage();

  private void add(String changes, Outcome outcome) {
    coverage.add("swiglu", CaseText.with(SwiGluCase.of(Activation.SILU), changes), outcome);
  }

  private static CoverageTable.Operator swiGlu(Coverage coverage) {
    return coverage.table(CoverageTest::ofModels).operators().getFirst();
  }

  private static OptionalLong ofModels(String operator, String size) {
    return size.equals("width") ? OptionalLong.of(1000) : OptionalLong.empty();
  }

  private static CoverageTable.Size size(Coverage coverage, String name) {
    return swiGlu(coverage).sizes().stream()
        .filter(s -> s.name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  private static CoverageTable.Pairs pairs(Coverage coverage, String first, String second) {
    return swiGlu(coverage).pairs().stream()
        .filter(p -> p.first().equals(first) && p.second().equals(second))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void theLargestThatPassedIsKeptApartFromTheLargestThatWasTried() {
    add("width=70", Outcome.pass());
    add("width=7", Outcome.pass());
    add("width=900", FAILED);
    add("width=2000", new Outcome.Skip("nothing to say"));
    assertEquals(
        new CoverageTable.Size("width", 900, 70, OptionalLong.of(1000)), size(coverage, "width"));
    assertTrue(size(coverage, "width").tooSmall());
    assertFalse(size(coverage, "rows").tooSmall(), "nobody knows how many rows models have");
    assertTrue(
        coverage
            .table(CoverageTest::ofModels)
            .notReached()
            .contains("swiglu: width to 70, where models have 1,000"));
    add("width=1000", Outcome.pass());
    assertFalse(size(coverage, "width").tooSmall());
  }

  @Test
  void pairsThatDidNotMeetAreNamed() {
    add("gate=ties,alias=gate", Outcome.pass());
    add("gate=ties,alias=up", FAILED);
    coverage.declined(
        "swiglu", CaseText.with(SwiGluCase.of(Activation.SILU), "gate=zero,alias=up"));
    CoverageTable.Pairs pairs = pairs(coverage, "alias", "gate");
    assertEquals(2, pairs.met(), "that a case failed does not mean that they did not meet");
    assertEquals(1, pairs.declined());
    int all = SwiGluCase.Alias.values().length * Values.values().length;
    assertEquals(all - 3, pairs.unmet().size(), "2 met, 1 was declined");
    assertTrue(pairs.unmet().contains("alias=none & gate=ties"), pairs.unmet().toString());
    assertFalse(pairs.unmet().contains("alias=up & gate=zero"), pairs.unmet().toString());
    assertTrue(
        coverage.table(CoverageTest::ofModels).notReached().getLast().contains("did not meet"));
  }

  @Test
  void itIsReadBackFromItsLines() {
    add("width=70,gate=ties,schedule=3/threads", Outcome.pass());
    add("width=900,alias=up", FAILED);
    coverage.declined("swiglu", CaseText.with(SwiGluCase.of(Activation.SILU), "rows=3"));
    Coverage again = new Coverage();
    again.addLines(coverage.lines());
    assertEquals(coverage.table(CoverageTest::ofModels), again.table(CoverageTest::ofModels));
    again.addLines(coverage.lines());
    assertEquals(coverage.lines(), again.lines());
    assertThrows(
        IllegalArgumentException.class, () -> again.addLines(List.of(List.of("swiglu", "met"))));
  }

  /// Of what runs, and of nothing else: an offer is asked for sizes that no kernel is called with.
  @Test
  void aRunFillsIt() {
    for (Set<String> rules : List.of(Set.of("S1"), Set.of("P4", "support"))) {
      Plan plan = Plan.suite();
      Suite.run(
          Target.here(new ScalarProvider()),
          new Settings(2, 1, Optional.empty()),
          new Selection(Set.of("swiglu"), Set.of(), rules),
          plan,
          cell -> {});
      boolean called = rules.contains("S1");
      assertEquals(called, !plan.coverage().table(CoverageTest::ofModels).operators().isEmpty());
      if (called) {
        assertTrue(size(plan.coverage(), "width").passed() > 500);
        assertTrue(swiGlu(plan.coverage()).met() > 100);
      }
    }
  }
}

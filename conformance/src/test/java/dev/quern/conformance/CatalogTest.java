package dev.quern.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.Operator;
import dev.quern.conformance.catalog.ProviderRules;
import dev.quern.conformance.catalog.SuiteCatalog;
import dev.quern.conformance.rules.OperatorSuite;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/// Every operator is tested, and every rule of SPEC.md is checked, or listed with the reason why
/// not.
class CatalogTest {
  @Test
  void noOperatorIsForgotten() {
    assertEquals(
        Operator.values(), SuiteCatalog.operators().stream().map(OperatorSuite::operator).toList());
  }

  @Test
  void noRuleIsForgotten() {
    Set<String> covered = new TreeSet<>(SuiteCatalog.untested().keySet());
    ProviderRules.whole().forEach(r -> covered.add(r.id()));
    SuiteCatalog.operators()
        .forEach(suite -> {
          suite.rules().forEach(r -> covered.add(r.id()));
          ProviderRules.offers(suite).forEach(r -> covered.add(r.id()));
        });
    covered.remove(ProviderRules.SUPPORT);
    assertEquals(new TreeSet<>(SpecText.rules().keySet()), covered);
  }

  @Test
  void theTextIsThatOfTheSpec() {
    assertEquals("A kernel MUST serve every number of rows from 1.", SpecText.of("L1"));
    assertEquals("Rows are independent, bit for bit.", SpecText.of("N6"));
    assertTrue(SpecText.rules().size() > 55, () -> SpecText.rules().keySet().toString());
  }

  @Test
  void testNamesAreUnique() {
    SuiteCatalog.operators()
        .forEach(suite -> {
          Set<String> names = new TreeSet<>();
          suite.rules().forEach(r -> assertTrue(names.add(r.testName()), r.testName()));
        });
  }
}

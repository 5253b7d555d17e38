package dev.quern.arm;

import static dev.quern.arm.RowSuite.of;

import dev.quern.provider.kleidi.KleidiProvider;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;

/// Rule P14 of the native provider, which needs C2 and so a row of its own: a downcall that is not
/// inlined makes a segment for each pointer that it is given.
class KleidiAllocationRowTest {
  private static final Map<String, Set<String>> ALLOCATION = Map.of("linear", Set.of("P14"));

  @TestFactory
  @Tag("arm-allocation")
  Stream<DynamicTest> oneOfEachFamily() {
    return new RowSuite(
            KleidiProvider::new,
            ALLOCATION,
            of("linear", "INT4_B32"),
            of("linear", "Q4_0"),
            of("linear", "INT8_C"),
            of("linear", "F32"))
        .tests();
  }
}

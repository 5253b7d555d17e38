package dev.quern.arm;

import static dev.quern.arm.RowSuite.of;

import dev.quern.provider.scalar.ScalarProvider;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;

/// The scalar provider on Arm, once: it is plain Java, and completes every composition.
@Tag("arm-scalar")
class ScalarRowTest {
  @TestFactory
  Stream<DynamicTest> kernels() {
    return new RowSuite(
            ScalarProvider::new,
            of("linear", "INT4_B32"),
            of("attention", "F16"),
            of("rmsnorm", "all"),
            of("rope", "adjacent"),
            of("swiglu", "all"))
        .tests();
  }
}

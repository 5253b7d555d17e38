package dev.quern.conformance;

import dev.quern.conformance.rows.RopeRules;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;

/// Section R of SPEC.md, and section P for its kernels, as JUnit tests. A provider's author extends
/// it:
///
/// ```java
/// class MyRopeTest extends RopeConformance {
///   @Override
///   protected KernelProvider provider() {
///     return new MyProvider();
///   }
/// }
/// ```
///
/// @since 0.1
/// @stability api
@Tag("rope")
public abstract class RopeConformance extends OperatorConformance {
  protected RopeConformance() {
    super(new RopeRules());
  }

  @TestFactory
  @Tag("R1")
  public final Stream<DynamicNode> R1() {
    return rule("R1");
  }

  @TestFactory
  @Tag("R2")
  public final Stream<DynamicNode> R2() {
    return rule("R2");
  }

  @TestFactory
  @Tag("R3")
  public final Stream<DynamicNode> R3() {
    return rule("R3");
  }

  @TestFactory
  @Tag("R4")
  public final Stream<DynamicNode> R4() {
    return rule("R4");
  }

  @TestFactory
  @Tag("R5")
  public final Stream<DynamicNode> R5() {
    return rule("R5");
  }

  @TestFactory
  @Tag("R6")
  public final Stream<DynamicNode> R6() {
    return rule("R6");
  }
}

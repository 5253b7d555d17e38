package dev.quern.conformance;

import dev.quern.conformance.rows.RmsNormRules;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;

/// Section N of SPEC.md, and section P for its kernels, as JUnit tests. A provider's author extends
/// it:
///
/// ```java
/// class MyRmsNormTest extends RmsNormConformance {
///   @Override
///   protected KernelProvider provider() {
///     return new MyProvider();
///   }
/// }
/// ```
///
/// @since 0.1
/// @stability api
@Tag("rmsnorm")
public abstract class RmsNormConformance extends OperatorConformance {
  protected RmsNormConformance() {
    super(new RmsNormRules());
  }

  @TestFactory
  @Tag("N1")
  public final Stream<DynamicNode> N1() {
    return rule("N1");
  }

  @TestFactory
  @Tag("N2")
  public final Stream<DynamicNode> N2() {
    return rule("N2");
  }

  @TestFactory
  @Tag("N3")
  public final Stream<DynamicNode> N3() {
    return rule("N3");
  }

  @TestFactory
  @Tag("N4")
  public final Stream<DynamicNode> N4() {
    return rule("N4");
  }

  @TestFactory
  @Tag("N5")
  public final Stream<DynamicNode> N5() {
    return rule("N5");
  }

  @TestFactory
  @Tag("N6")
  public final Stream<DynamicNode> N6() {
    return rule("N6");
  }

  @TestFactory
  @Tag("N7")
  public final Stream<DynamicNode> N7() {
    return rule("N7");
  }
}

package dev.quern.conformance;

import dev.quern.conformance.rows.SwiGluRules;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;

/// Section S of SPEC.md, and section P for its kernels, as JUnit tests. A provider's author extends
/// it:
///
/// ```java
/// class MySwiGluTest extends SwiGluConformance {
///   @Override
///   protected KernelProvider provider() {
///     return new MyProvider();
///   }
/// }
/// ```
///
/// @since 0.1
/// @stability api
@Tag("swiglu")
public abstract class SwiGluConformance extends OperatorConformance {
  protected SwiGluConformance() {
    super(new SwiGluRules());
  }

  @TestFactory
  @Tag("S1")
  public final Stream<DynamicNode> S1() {
    return rule("S1");
  }

  @TestFactory
  @Tag("S2")
  public final Stream<DynamicNode> S2() {
    return rule("S2");
  }

  @TestFactory
  @Tag("S3")
  public final Stream<DynamicNode> S3() {
    return rule("S3");
  }

  @TestFactory
  @Tag("S4")
  public final Stream<DynamicNode> S4() {
    return rule("S4");
  }

  @TestFactory
  @Tag("S5")
  public final Stream<DynamicNode> S5() {
    return rule("S5");
  }
}

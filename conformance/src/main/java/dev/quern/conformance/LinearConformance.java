package dev.quern.conformance;

import dev.quern.conformance.linear.LinearRules;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;

/// Section L of SPEC.md, and section P for its kernels, as JUnit tests. A provider's author extends
/// it:
///
/// ```java
/// class MyLinearTest extends LinearConformance {
///   @Override
///   protected KernelProvider provider() {
///     return new MyProvider();
///   }
/// }
/// ```
///
/// @since 0.1
/// @stability api
@Tag("linear")
public abstract class LinearConformance extends OperatorConformance {
  protected LinearConformance() {
    super(new LinearRules());
  }

  @TestFactory
  @Tag("L1")
  public final Stream<DynamicNode> L1() {
    return rule("L1");
  }

  @TestFactory
  @Tag("L2")
  public final Stream<DynamicNode> L2() {
    return rule("L2");
  }

  @TestFactory
  @Tag("L3")
  public final Stream<DynamicNode> L3() {
    return rule("L3");
  }

  @TestFactory
  @Tag("L4")
  public final Stream<DynamicNode> L4() {
    return rule("L4");
  }

  @TestFactory
  @Tag("L5")
  public final Stream<DynamicNode> L5() {
    return rule("L5");
  }

  @TestFactory
  @Tag("L6")
  public final Stream<DynamicNode> L6() {
    return rule("L6");
  }

  @TestFactory
  @Tag("L7")
  public final Stream<DynamicNode> L7() {
    return rule("L7");
  }

  @TestFactory
  @Tag("L8")
  public final Stream<DynamicNode> L8() {
    return rule("L8");
  }

  @TestFactory
  @Tag("L9")
  public final Stream<DynamicNode> L9() {
    return rule("L9");
  }

  @TestFactory
  @Tag("L10")
  public final Stream<DynamicNode> L10() {
    return rule("L10");
  }

  @TestFactory
  @Tag("L11")
  public final Stream<DynamicNode> L11() {
    return rule("L11");
  }

  @TestFactory
  @Tag("L13")
  public final Stream<DynamicNode> L13() {
    return rule("L13");
  }

  @TestFactory
  @Tag("L14")
  public final Stream<DynamicNode> L14() {
    return rule("L14");
  }

  @TestFactory
  @Tag("F1")
  public final Stream<DynamicNode> F1() {
    return rule("F1");
  }

  @TestFactory
  @Tag("P16")
  public final Stream<DynamicNode> P16() {
    return rule("P16");
  }
}

package dev.quern.conformance;

import dev.quern.conformance.attention.AttentionRules;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;

/// Section A of SPEC.md, and section P for its kernels, as JUnit tests. A provider's author extends
/// it:
///
/// ```java
/// class MyAttentionTest extends AttentionConformance {
///   @Override
///   protected KernelProvider provider() {
///     return new MyProvider();
///   }
/// }
/// ```
///
/// @since 0.1
/// @stability api
@Tag("attention")
public abstract class AttentionConformance extends OperatorConformance {
  protected AttentionConformance() {
    super(new AttentionRules());
  }

  @TestFactory
  @Tag("A1")
  public final Stream<DynamicNode> A1() {
    return rule("A1");
  }

  @TestFactory
  @Tag("A2")
  public final Stream<DynamicNode> A2() {
    return rule("A2");
  }

  @TestFactory
  @Tag("A3")
  public final Stream<DynamicNode> A3() {
    return rule("A3");
  }

  @TestFactory
  @Tag("A4")
  public final Stream<DynamicNode> A4() {
    return rule("A4");
  }

  @TestFactory
  @Tag("A5")
  public final Stream<DynamicNode> A5() {
    return rule("A5");
  }

  @TestFactory
  @Tag("A6")
  public final Stream<DynamicNode> A6() {
    return rule("A6");
  }

  @TestFactory
  @Tag("A7")
  public final Stream<DynamicNode> A7() {
    return rule("A7");
  }

  @TestFactory
  @Tag("A8")
  public final Stream<DynamicNode> A8() {
    return rule("A8");
  }

  @TestFactory
  @Tag("A10")
  public final Stream<DynamicNode> A10() {
    return rule("A10");
  }

  @TestFactory
  @Tag("A11")
  public final Stream<DynamicNode> A11() {
    return rule("A11");
  }

  @TestFactory
  @Tag("A12")
  public final Stream<DynamicNode> A12() {
    return rule("A12");
  }
}

package dev.quern.conformance;

import dev.quern.conformance.rules.AttentionRules;

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
public abstract class AttentionConformance extends OperatorConformance {
  protected AttentionConformance() {
    super(new AttentionRules());
  }
}

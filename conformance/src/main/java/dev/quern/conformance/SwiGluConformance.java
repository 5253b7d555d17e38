package dev.quern.conformance;

import dev.quern.conformance.rules.SwiGluRules;

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
public abstract class SwiGluConformance extends OperatorConformance {
  protected SwiGluConformance() {
    super(new SwiGluRules());
  }
}

package dev.quern.conformance;

import dev.quern.conformance.rules.RopeRules;

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
public abstract class RopeConformance extends OperatorConformance {
  protected RopeConformance() {
    super(new RopeRules());
  }
}

package dev.quern.conformance;

import dev.quern.conformance.rules.RmsNormRules;

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
public abstract class RmsNormConformance extends OperatorConformance {
  protected RmsNormConformance() {
    super(new RmsNormRules());
  }
}

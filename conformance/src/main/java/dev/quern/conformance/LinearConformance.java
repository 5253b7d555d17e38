package dev.quern.conformance;

import dev.quern.conformance.rules.LinearRules;

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
public abstract class LinearConformance extends OperatorConformance {
  protected LinearConformance() {
    super(new LinearRules());
  }
}

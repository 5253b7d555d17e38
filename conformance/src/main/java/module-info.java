/// The conformance suite: it decides whether a provider keeps SPEC.md.
///
/// An author extends the abstract test classes of `dev.quern.conformance`, or asks
/// [dev.quern.conformance.Suite] for a [dev.quern.conformance.SuiteResult], of which
/// [dev.quern.conformance.report.Report] makes pages and files.
module dev.quern.conformance {
  requires transitive dev.quern.api;
  requires transitive org.junit.jupiter.api;
  requires com.fasterxml.jackson.core;
  requires net.jqwik.api;
  requires jdk.management;

  exports dev.quern.conformance;
  exports dev.quern.conformance.judge;
  exports dev.quern.conformance.report;
}

package dev.quern.conformance.report;

import dev.quern.conformance.Failure;
import java.util.List;
import java.util.Locale;

/// The XML that CI servers read: one `testsuite`, as in Surefire's schema
/// (surefire-test-report.xsd). A test is a rule on a subject; declined and skipped ones are
/// `skipped` with their reason.
final class JUnitReport {
  private JUnitReport() {}

  static String of(Environment environment, Tested tested) {
    List<TestResult> tests = tested.tests();
    long failed = tests.stream().filter(t -> t.counts().failures() > 0).count();
    long passed = tests.stream().filter(t -> t.counts().status().equals("passed")).count();
    long skipped = tests.size() - failed - passed;
    String suite = "quern.conformance." + tested.origin().name();
    Markup xml = new Markup();
    xml.start(
            "testsuite",
            "name",
            suite,
            "time",
            Format.seconds(tests.stream().mapToLong(TestResult::nanos).sum()),
            "tests",
            Integer.toString(tests.size()),
            "errors",
            "0",
            "skipped",
            Long.toString(skipped),
            "failures",
            Long.toString(failed))
        .line();
    properties(xml, environment, tested);
    for (TestResult test : tests) {
      xml.start(
          "testcase",
          "name",
          test.title(),
          "classname",
          suite + "." + test.operator(),
          "time",
          Format.seconds(test.nanos()));
      Counts counts = test.counts();
      if (counts.failures() > 0) {
        Failure f = test.failure().orElseThrow();
        failure(
            xml,
            String.format(
                Locale.ROOT,
                "%s: expected %s, actual %s",
                f.outcome().where(),
                f.outcome().expected(),
                f.outcome().actual()),
            f.rule(),
            f.message(tested.replayCommand()));
      } else if (counts.passes() == 0) {
        xml.element("skipped", "", "message", String.join("; ", test.reasons()));
      }
      xml.end();
    }
    return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + xml.end();
  }

  private static void failure(Markup xml, String message, String type, String text) {
    xml.element("failure", text, "message", message, "type", type);
  }

  private static void properties(Markup xml, Environment e, Tested t) {
    xml.start("properties").line();
    property(xml, "provider", t.origin().name());
    property(xml, "provider.version", t.origin().version());
    property(xml, "provider.location", t.origin().location());
    property(xml, "spec.version", e.specVersion());
    property(xml, "platform", e.platform().toString());
    property(xml, "jdk", e.jdk());
    property(xml, "vm", e.vm());
    property(xml, "tries", Integer.toString(t.result().settings().tries()));
    property(xml, "seed", Long.toString(t.result().settings().seed()));
    xml.end();
  }

  private static void property(Markup xml, String name, String value) {
    // An attribute that is empty would be left out, and the schema wants it.
    xml.start("property", "name", name, "value", value.isEmpty() ? "none" : value).end();
  }
}

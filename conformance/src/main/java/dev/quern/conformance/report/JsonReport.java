package dev.quern.conformance.report;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.quern.conformance.CellResult;
import dev.quern.conformance.Comparison;
import dev.quern.conformance.Comparison.Difference;
import dev.quern.conformance.Comparison.Most;
import dev.quern.conformance.CoverageTable;
import dev.quern.conformance.Failure;
import dev.quern.conformance.ModelResult;
import dev.quern.conformance.Settings;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.Collection;
import java.util.Optional;
import java.util.TreeSet;

/// The report for programs. Its keys are documented in docs/conformance.md; within one `format`
/// keys are added, never changed. Numbers that JSON can't write are the strings `Infinity` and
/// `NaN`.
final class JsonReport {
  /// The version of the keys.
  private static final int FORMAT = 1;

  private final JsonGenerator json;

  private JsonReport(JsonGenerator json) {
    this.json = json;
  }

  static String of(Report report) {
    StringWriter out = new StringWriter();
    try (JsonGenerator json = new JsonFactory().createGenerator(out).useDefaultPrettyPrinter()) {
      new JsonReport(json).write(report);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // a StringWriter throws none
    }
    return out.append('\n').toString();
  }

  private void write(Report report) throws IOException {
    json.writeStartObject();
    json.writeNumberField("format", FORMAT);
    json.writeBooleanField("green", report.green());
    environment(report.environment(), report.cost());
    if (report.tested().isPresent()) {
      tested(report.tested().get());
      if (report.tested().get().extent().isPresent()) {
        coverage(report.tested().get(), report.tested().get().extent().get());
      }
    }
    if (report.comparison().isPresent()) {
      comparison(report.comparison().get());
    }
    json.writeEndObject();
  }

  private void environment(Environment e, Optional<Cost> cost) throws IOException {
    json.writeObjectFieldStart("environment");
    json.writeStringField("when", e.when().toString());
    json.writeStringField("specVersion", e.specVersion());
    json.writeStringField("os", e.platform().os());
    json.writeStringField("arch", e.platform().arch());
    strings("cpuFeatures", new TreeSet<>(e.platform().cpuFeatures()));
    json.writeStringField("jit", e.platform().jit().name());
    json.writeStringField("jdk", e.jdk());
    json.writeStringField("vm", e.vm());
    json.writeNumberField("processors", e.processors());
    if (cost.isPresent()) {
      json.writeNumberField("seconds", cost.get().seconds());
      json.writeNumberField("peakHeapBytes", cost.get().heapBytes());
      if (cost.get().residentBytes().isPresent()) {
        json.writeNumberField("peakResidentBytes", cost.get().residentBytes().getAsLong());
      }
    }
    json.writeEndObject();
  }

  private void tested(Tested t) throws IOException {
    json.writeObjectFieldStart("tested");
    json.writeStringField("provider", t.origin().name());
    json.writeStringField("version", t.origin().version());
    json.writeStringField("class", t.origin().className());
    json.writeStringField("location", t.origin().location());
    json.writeBooleanField("green", t.green());
    json.writeStringField("verdict", t.verdict());
    settings(t.result().settings());
    Counts all = Counts.of(t.result().cells());
    counts(all, all.status());
    json.writeBooleanField("supportAgrees", !t.supportFailed());
    strings("supportSuggestion", t.suggestion());
    json.writeArrayFieldStart("subjects");
    for (SubjectResult s : t.subjects()) {
      subject(s);
    }
    json.writeEndArray();
    json.writeArrayFieldStart("models");
    for (var model : t.models().entrySet()) {
      model(model.getKey(), model.getValue());
    }
    json.writeEndArray();
    json.writeArrayFieldStart("tests");
    for (TestResult test : t.tests()) {
      test(test);
    }
    json.writeEndArray();
    json.writeArrayFieldStart("failures");
    for (TestResult test : t.tests()) {
      for (CellResult cell : test.cells()) {
        if (cell.firstFailure().isPresent()) {
          failure(cell.firstFailure().get());
        }
      }
    }
    json.writeEndArray();
    json.writeEndObject();
  }

  private void settings(Settings s) throws IOException {
    json.writeNumberField("tries", s.tries());
    json.writeNumberField("seed", s.seed());
    if (s.replay().isPresent()) {
      json.writeStringField("replay", s.replay().get());
    }
  }

  private void counts(Counts c, String status) throws IOException {
    json.writeStringField("status", status);
    json.writeNumberField("passes", c.passes());
    json.writeNumberField("failures", c.failures());
    json.writeNumberField("declined", c.declined());
    json.writeNumberField("skipped", c.skipped());
    json.writeNumberField("worstRatio", c.worstRatio());
    json.writeStringField("worstCase", c.worstCase());
  }

  private void subject(SubjectResult s) throws IOException {
    json.writeStartObject();
    json.writeStringField("operator", s.operator());
    json.writeStringField("subject", s.subject());
    json.writeBooleanField("accepted", s.accepted());
    if (s.asDeclared().isPresent()) {
      json.writeBooleanField("asDeclared", s.asDeclared().get());
    }
    counts(s.counts(), s.status());
    json.writeNumberField("worstError", s.errors().worstRatio());
    json.writeStringField("worstErrorCase", s.errors().worstCase());
    strings("declinedBecause", s.declinedBecause());
    json.writeArrayFieldStart("shapes");
    for (var shape : s.shapes().entrySet()) {
      json.writeStartObject();
      json.writeStringField("shapeClass", shape.getKey());
      counts(shape.getValue(), shape.getValue().status());
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeEndObject();
  }

  private void model(ModelResult m, SubjectResult s) throws IOException {
    json.writeStartObject();
    json.writeStringField("model", m.model());
    json.writeStringField("operator", m.operator());
    json.writeStringField("spec", m.spec());
    json.writeStringField("subject", m.subject());
    json.writeBooleanField("accepted", s.accepted());
    counts(s.counts(), s.status());
    strings("declinedBecause", s.declinedBecause());
    strings("tried", m.tried());
    strings("tooLarge", m.tooLarge());
    json.writeEndObject();
  }

  private void coverage(Tested t, Extent extent) throws IOException {
    json.writeObjectFieldStart("coverage");
    strings("mode", extent.mode());
    json.writeArrayFieldStart("operators");
    for (CoverageTable.Operator o : extent.coverage().operators()) {
      json.writeStartObject();
      json.writeStringField("operator", o.name());
      json.writeArrayFieldStart("sizes");
      for (CoverageTable.Size s : o.sizes()) {
        json.writeStartObject();
        json.writeStringField("name", s.name());
        json.writeNumberField("tried", s.tried());
        json.writeNumberField("passed", s.passed());
        if (s.models().isPresent()) {
          json.writeNumberField("models", s.models().getAsLong());
        }
        json.writeEndObject();
      }
      json.writeEndArray();
      json.writeNumberField("pairsMet", o.met());
      json.writeNumberField("pairsPossible", o.possible());
      json.writeArrayFieldStart("pairs");
      for (CoverageTable.Pairs p : o.pairs()) {
        json.writeStartObject();
        json.writeStringField("first", p.first());
        json.writeStringField("second", p.second());
        json.writeNumberField("met", p.met());
        json.writeNumberField("declined", p.declined());
        strings("unmet", p.unmet());
        json.writeEndObject();
      }
      json.writeEndArray();
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeArrayFieldStart("checks");
    for (var check : Extent.checks(t).entrySet()) {
      json.writeStartObject();
      json.writeStringField("name", check.getKey());
      counts(check.getValue(), check.getValue().status());
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeObjectFieldStart("untested");
    for (var rule : Extent.untested().entrySet()) {
      json.writeStringField(rule.getKey(), rule.getValue());
    }
    json.writeEndObject();
    strings("notReached", extent.notReached(t));
    json.writeEndObject();
  }

  private void test(TestResult t) throws IOException {
    json.writeStartObject();
    json.writeStringField("operator", t.operator());
    json.writeStringField("rule", t.rule());
    json.writeStringField("name", t.testName());
    json.writeStringField("subject", t.subject());
    json.writeNumberField("seconds", t.nanos() / 1e9);
    counts(t.counts(), t.counts().status());
    strings("reasons", t.reasons());
    json.writeEndObject();
  }

  private void failure(Failure f) throws IOException {
    json.writeStartObject();
    json.writeStringField("rule", f.rule());
    json.writeStringField("text", f.text());
    json.writeStringField("operator", f.operator());
    json.writeStringField("subject", f.subject());
    json.writeStringField("where", f.outcome().where());
    json.writeStringField("expected", f.outcome().expected());
    json.writeStringField("actual", f.outcome().actual());
    json.writeStringField("bound", f.outcome().bound());
    json.writeNumberField("ratio", f.outcome().ratio());
    strings("inputs", f.inputs());
    json.writeStringField("replay", f.replay());
    json.writeStringField("original", f.original());
    json.writeEndObject();
  }

  private void comparison(Comparison c) throws IOException {
    json.writeObjectFieldStart("comparison");
    json.writeStringField("first", c.first());
    json.writeStringField("second", c.second());
    json.writeBooleanField("green", c.green());
    settings(c.settings());
    json.writeArrayFieldStart("differences");
    for (Difference d : c.differences()) {
      difference(d);
    }
    json.writeEndArray();
    json.writeEndObject();
  }

  private void difference(Difference d) throws IOException {
    json.writeStartObject();
    json.writeStringField("operator", d.operator());
    json.writeStringField("subject", d.subject());
    json.writeNumberField("cases", d.cases());
    json.writeStringField("declined", d.declined());
    json.writeNumberField("firstWorst", d.firstWorst());
    json.writeNumberField("secondWorst", d.secondWorst());
    json.writeStringField("broken", d.broken().orElse(null));
    if (d.most().isPresent()) {
      Most m = d.most().get();
      json.writeObjectFieldStart("most");
      json.writeNumberField("ratio", m.ratio());
      json.writeStringField("where", m.where());
      json.writeNumberField("expected", m.expected());
      json.writeNumberField("first", m.first());
      json.writeNumberField("second", m.second());
      json.writeNumberField("bound", m.bound());
      json.writeStringField("replay", m.replay());
      json.writeEndObject();
    }
    json.writeEndObject();
  }

  private void strings(String field, Collection<String> values) throws IOException {
    json.writeArrayFieldStart(field);
    for (String value : values) {
      json.writeString(value);
    }
    json.writeEndArray();
  }
}

package dev.quern.measure.report;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Locale;
import java.util.OptionalDouble;

/// One run of a protocol: a model on a list of providers, in a process of its own.
///
/// @param label model and providers, as tables and charts show them
/// @param model the model's path, as it was given; `demo` for the demo model
/// @param asked the list of providers: `auto`, or names
/// @param result the object that `quern bench --profile --json` wrote
/// @param ledger what computed it
public record Run(String label, String model, String asked, JsonNode result, Ledger ledger) {
  /// Separates model and providers in a label.
  private static final String ON = " on ";

  /// @param name the model, short
  public static String label(String name, String asked) {
    return name + ON + asked;
  }

  /// Reads a run, and checks that it followed the protocol and that its ledger is complete.
  ///
  /// @param where what messages call it, such as `a.json: run 2`
  /// @throws ReportException if not
  public static Run read(JsonNode json, String where) {
    String label = text(json, "label", where);
    String asked = text(json, "asked", where);
    String named = String.format(Locale.ROOT, "%s (%s)", where, label);
    if (!label.endsWith(ON + asked)) {
      throw new ReportException(
          String.format(
              Locale.ROOT,
              "%s: its providers are %s, expected those that the label names",
              named,
              asked));
    }
    JsonNode result = json.path("result");
    Ledger ledger = Ledger.read(result, named);
    Run run = new Run(label, text(json, "model", where), asked, result, ledger);
    Protocol.EXECUTORCH.requireFollowed(result, named);
    for (Figure figure : Figure.values()) {
      figure.of(run); // damaged numbers are refused
    }
    ledger.requireComplete(1L + result.path("decodedTokens").asLong(), named);
    ledger.requireRunBy(asked, named);
    return run;
  }

  ObjectNode json(ObjectNode node) {
    node.put("label", label).put("model", model).put("asked", asked).set("result", result);
    return node;
  }

  /// A number of the result; empty where it is null: not known on that system.
  ///
  /// @throws ReportException if it is neither a positive number nor null
  OptionalDouble number(String name) {
    JsonNode value = result.path(name);
    if (value.isNull()) {
      return OptionalDouble.empty();
    }
    if (!value.isNumber() || !(value.asDouble() > 0) || Double.isInfinite(value.asDouble())) {
      throw new ReportException(
          String.format(
              Locale.ROOT,
              "%s: %s is %s, expected a number above 0; measure again",
              label,
              name,
              value.isMissingNode() ? "missing" : value));
    }
    return OptionalDouble.of(value.asDouble());
  }

  /// The machine and the JVM with its options, for people; what does not vary between runs.
  public String machine() {
    JsonNode e = environment();
    return String.format(
            Locale.ROOT,
            "%s, %d processors, %d threads; %s %s",
            e.path("cpu").asText(),
            e.path("processors").asInt(),
            result.path("threads").asInt(),
            e.path("jvm").asText(),
            String.join(" ", e.path("jvmOptions").valueStream().map(JsonNode::asText).toList()))
        .strip();
  }

  /// Load average before the run; NaN where the system did not tell.
  double loadAverage() {
    return environment().path("loadAverage").asDouble(Double.NaN);
  }

  private JsonNode environment() {
    return result.path("environment");
  }

  private static String text(JsonNode json, String name, String where) {
    if (!json.path(name).isTextual() || json.path(name).asText().isEmpty()) {
      throw new ReportException(
          String.format(
              Locale.ROOT, "%s: no %s, expected a run of quern bench --protocol", where, name));
    }
    return json.path(name).asText();
  }
}

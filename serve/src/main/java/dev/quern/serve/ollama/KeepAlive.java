package dev.quern.serve.ollama;

import com.fasterxml.jackson.databind.JsonNode;
import dev.quern.serve.http.HttpFailure;
import dev.quern.serve.http.JsonFields;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// How long a model stays in memory when nobody uses it: seconds, or a duration as Go writes it.
final class KeepAlive {
  private static final String NAME = "keep_alive";
  private static final String EXPECTED =
      "seconds, or a text such as 5m, 1h30m or 500ms; 0 unloads, a negative one keeps for good";
  private static final Pattern DURATION =
      Pattern.compile("(?<sign>[+-]?)(?<parts>0|(\\d{1,9}(\\.\\d{1,9})?(h|ms|us|m|s))+)");
  private static final Pattern PART =
      Pattern.compile("(?<number>\\d+(\\.\\d+)?)(?<unit>h|ms|us|m|s)");
  private static final Map<String, Double> SECONDS =
      Map.of("h", 3600.0, "m", 60.0, "s", 1.0, "ms", 1e-3, "us", 1e-6);
  private static final double MOST = 1e9; // seconds, 31 years

  private KeepAlive() {}

  /// @return empty for good, which is so too where the request has no such field
  /// @throws HttpFailure 400 where it is no duration
  static Optional<Duration> read(JsonFields f) {
    Optional<JsonNode> given = f.any(NAME);
    if (given.isEmpty()) {
      return Optional.empty();
    }
    double seconds =
        given.get().isNumber()
            ? given.get().doubleValue()
            : parse(f, given.get().isTextual() ? given.get().textValue() : "");
    return seconds < 0 || seconds > MOST
        ? Optional.empty()
        : Optional.of(Duration.ofNanos((long) (seconds * 1e9)));
  }

  private static double parse(JsonFields f, String text) {
    Matcher whole = DURATION.matcher(text);
    if (!whole.matches()) {
      throw f.wrong(NAME, EXPECTED);
    }
    double seconds = 0;
    Matcher part = PART.matcher(whole.group("parts"));
    while (part.find()) {
      seconds += Double.parseDouble(part.group("number")) * SECONDS.get(part.group("unit"));
    }
    return whole.group("sign").equals("-") ? -seconds : seconds;
  }
}

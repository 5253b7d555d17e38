package dev.quern.conformance;

import dev.quern.conformance.catalog.ProviderRules;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The rules as SPEC.md words them, so that reports and specification can't drift.
///
/// @since 0.1
/// @stability api
public final class SpecText {
  /// A row of three cells: id, text, intent. Formats, which are named alike, have rows of four.
  private static final Pattern ROW =
      Pattern.compile("^\\| ([A-Z]\\d+) \\| ([^|]+?) \\|[^|]*\\|$", Pattern.MULTILINE);

  private SpecText() {}

  /// Text by rule id, in the order of SPEC.md.
  public static Map<String, String> rules() {
    return parse(read());
  }

  /// The text of a rule; of the one that has no number, what the suite means by it.
  public static String of(String rule) {
    return rule.equals(ProviderRules.SUPPORT)
        ? "A provider accepts what its META-INF/quern/NAME.support declares, declines the rest, and accepts something."
        : rules().getOrDefault(rule, "not in SPEC.md");
  }

  /// Where a rule stands, for tools that show what a test was made from:
  /// `classpath:/dev/quern/conformance/SPEC.md?line=57`; of what is no rule there, without a line.
  static URI source(String rule) {
    long line = read().lines().takeWhile(l -> !l.startsWith("| " + rule + " |")).count() + 1;
    return URI.create(
        "classpath:/dev/quern/conformance/SPEC.md"
            + (rules().containsKey(rule) ? "?line=" + line : ""));
  }

  static Map<String, String> parse(String spec) {
    Map<String, String> rules = new LinkedHashMap<>();
    Matcher m = ROW.matcher(spec);
    while (m.find()) {
      rules.put(m.group(1), m.group(2));
    }
    return Collections.unmodifiableMap(rules);
  }

  private static String read() {
    try (InputStream in = SpecText.class.getResourceAsStream("SPEC.md")) {
      if (in == null) {
        throw new IllegalStateException("SPEC.md is missing from the conformance JAR");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new IllegalStateException("SPEC.md can't be read from the conformance JAR", e);
    }
  }
}

package dev.quern.measure.report;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// A published way to measure, so that figures can be compared.
public enum Protocol {
  /// Arm's and Meta's for Llama 3.2 with ExecuTorch: one warm-up run, a prompt of 64 tokens, 128
  /// tokens in all, peak resident memory at a context of 2,048. Decoding begins after the prompt,
  /// whose last logits give the first of the 64 generated tokens.
  EXECUTORCH;

  public static final int PROMPT_TOKENS = 64;
  public static final int GEN_TOKENS = 64;
  public static final int CONTEXT = 2048;

  private static final Map<String, Integer> NUMBERS =
      Map.of(
          "promptTokens",
          PROMPT_TOKENS,
          "genTokens",
          GEN_TOKENS,
          "decodedTokens",
          GEN_TOKENS - 1,
          "context",
          CONTEXT,
          "depth",
          0,
          "warmups",
          1,
          "repetitions",
          1);

  /// The options of `quern bench` for one run.
  public static List<String> benchOptions() {
    return List.of(
        "--prompt-tokens",
        Integer.toString(PROMPT_TOKENS),
        "--gen-tokens",
        Integer.toString(GEN_TOKENS),
        "--context",
        Integer.toString(CONTEXT),
        "--after-prompt",
        "--full-context",
        "--profile",
        "--repetitions",
        "1",
        "--warmup",
        "0.000001"); // one repetition takes longer
  }

  /// What it is, in one line.
  public String text() {
    return String.format(
        Locale.ROOT,
        "one warm-up, then a prompt of %d tokens and %d generated, each run in a JVM of its own; peak resident memory with a full context of %,d",
        PROMPT_TOKENS,
        GEN_TOKENS,
        CONTEXT);
  }

  /// @param result what `quern bench` wrote
  /// @throws ReportException if it was measured in another way
  void requireFollowed(JsonNode result, String where) {
    NUMBERS.forEach((name, expected) -> require(result, name, expected.toString(), where));
    require(result, "order", "after-prompt", where);
    require(result, "fullContext", "true", where);
  }

  private static void require(JsonNode result, String name, String expected, String where) {
    if (!result.path(name).asText().equals(expected)) {
      throw new ReportException(
          String.format(
              Locale.ROOT,
              "%s: %s is %s, expected %s: it was not measured by this protocol",
              where,
              name,
              result.path(name),
              expected));
    }
  }
}

package dev.quern.cli.text;

import dev.quern.llama.Generation;
import dev.quern.llama.sampling.LogProbabilities;
import dev.quern.llama.sampling.TokenLogProbability;
import dev.quern.llama.text.Printable;
import dev.quern.llama.tokenizer.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/// Log probabilities of a generation's tokens, for people and for programs.
final class LogProbabilityText {
  private LogProbabilityText() {}

  /// A line for each token: what was chosen, its natural logarithm, and the likeliest.
  static String table(Generation generation, Tokenizer tokenizer) {
    StringBuilder table = new StringBuilder();
    for (LogProbabilities p : generation.logProbabilities()) {
      String likeliest =
          p.top().stream().map(t -> entry(t, tokenizer)).collect(Collectors.joining("  "));
      table.append(
          String.format(
              Locale.ROOT,
              "%-24s%s%n",
              entry(p.chosen(), tokenizer),
              likeliest.isEmpty() ? "" : "  of  " + likeliest));
    }
    return table.toString();
  }

  private static String entry(TokenLogProbability p, Tokenizer tokenizer) {
    String text = new String(tokenizer.bytes(p.token()), StandardCharsets.UTF_8);
    return String.format(Locale.ROOT, "%s %.3f", Printable.quoted(text), p.logProbability());
  }

  /// Under the names that OpenAI's API and llama.cpp's server have for them.
  static void put(Map<String, Object> json, Generation generation, Tokenizer tokenizer) {
    if (generation.logProbabilities().isEmpty()) {
      return;
    }
    List<Map<String, Object>> all = new ArrayList<>();
    for (LogProbabilities p : generation.logProbabilities()) {
      Map<String, Object> token = token(p.chosen(), tokenizer);
      token.put("top_logprobs", p.top().stream().map(t -> token(t, tokenizer)).toList());
      all.add(token);
    }
    json.put("logprobs", all);
  }

  /// With the bytes, since a token need not be whole characters.
  private static Map<String, Object> token(TokenLogProbability p, Tokenizer tokenizer) {
    byte[] bytes = tokenizer.bytes(p.token());
    List<Integer> values = new ArrayList<>();
    for (byte b : bytes) {
      values.add(Byte.toUnsignedInt(b));
    }
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("id", p.token());
    json.put("token", new String(bytes, StandardCharsets.UTF_8));
    json.put("bytes", values);
    json.put("logprob", p.logProbability());
    return json;
  }
}

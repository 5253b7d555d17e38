package dev.quern.cli.text;

import dev.quern.cli.model.Metrics;
import dev.quern.llama.Generation;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.sampling.LogProbabilities;
import dev.quern.llama.sampling.TokenLogProbability;
import dev.quern.llama.tokenizer.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// What `run --stats-json` writes: the metrics and, of what was asked for, the log probabilities
/// and the completions.
final class RunStatistics {
  /// Figures that each completion has its own of.
  private static final List<String> OF_EACH =
      List.of("decodeTokensPerSecond", "generatedTokens", "stop");

  private RunStatistics() {}

  /// @return a tree for JSON. One completion's figures and log probabilities are at its top, those
  ///   of several in the array `completions`
  static Map<String, Object> of(LlamaModel model, List<CompletedText> completions) {
    Generation first = completions.getFirst().generation();
    Map<String, Object> json = Metrics.of(model, first).figures();
    if (completions.size() == 1) {
      putLogProbabilities(json, first, model.tokenizer());
      return json;
    }
    List<Map<String, Object>> all = new ArrayList<>();
    for (CompletedText c : completions) {
      Map<String, Object> figures = Metrics.of(model, c.generation()).figures();
      Map<String, Object> one = new LinkedHashMap<>();
      one.put("seed", c.seed());
      one.put("text", c.text());
      OF_EACH.forEach(name -> one.put(name, figures.get(name)));
      putLogProbabilities(one, c.generation(), model.tokenizer());
      all.add(one);
    }
    json.keySet().removeAll(OF_EACH);
    json.put("completions", all);
    return json;
  }

  /// Under the names that OpenAI's API and llama.cpp's server have for them.
  private static void putLogProbabilities(
      Map<String, Object> json, Generation generation, Tokenizer tokenizer) {
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

package dev.quern.cli.text;

import dev.quern.cli.model.KernelTable;
import dev.quern.cli.model.Metrics;
import dev.quern.llama.Generation;
import dev.quern.llama.LlamaModel;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// What `--stats-json` and `--json` write: the metrics and, of what was asked for, texts, log
/// probabilities and the completions.
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
      LogProbabilityText.put(json, first, model.tokenizer());
      return json;
    }
    List<Map<String, Object>> all = new ArrayList<>();
    for (CompletedText c : completions) {
      Map<String, Object> figures = Metrics.of(model, c.generation()).figures();
      Map<String, Object> one = new LinkedHashMap<>();
      one.put("seed", c.seed());
      one.put("text", c.text());
      one.put("tokens", c.generation().tokens());
      OF_EACH.forEach(name -> one.put(name, figures.get(name)));
      LogProbabilityText.put(one, c.generation(), model.tokenizer());
      all.add(one);
    }
    json.keySet().removeAll(OF_EACH);
    json.put("completions", all);
    return json;
  }

  /// [#of] with the text and its tokens where it is one, and with who ran what.
  static Map<String, Object> withText(LlamaModel model, List<CompletedText> completions) {
    Map<String, Object> json = new LinkedHashMap<>();
    if (completions.size() == 1) {
      CompletedText only = completions.getFirst();
      json.put("text", only.text());
      json.put("tokens", only.generation().tokens());
      json.put("seed", only.seed());
    }
    json.putAll(of(model, completions));
    json.put("report", KernelTable.json(model.report()));
    return json;
  }
}

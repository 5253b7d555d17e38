package dev.quern.spark;

import dev.quern.llama.GenerationOptions;
import dev.quern.llama.constrain.SchemaConstraints;
import dev.quern.llama.sampling.SamplingOptions;
import dev.quern.llama.tokenizer.ChatOptions;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/// How rows are completed, as it is sent to executors.
///
/// @param jsonSchema null where texts are free
/// @param variables of the chat template
record TextPlan(
    int maxTokens,
    Sampling sampling,
    ArrayList<String> stop,
    String jsonSchema,
    TreeMap<String, Object> variables)
    implements Serializable {

  /// [SamplingOptions], which no stream can take.
  record Sampling(
      double temperature,
      int topK,
      double topP,
      double minP,
      double repeatPenalty,
      int repeatLastN,
      long seed,
      double frequencyPenalty,
      double presencePenalty,
      double typicalP,
      TreeMap<Integer, Double> logitBias)
      implements Serializable {
    static Sampling of(SamplingOptions s) {
      return new Sampling(
          s.temperature(),
          s.topK(),
          s.topP(),
          s.minP(),
          s.repeatPenalty(),
          s.repeatLastN(),
          s.seed(),
          s.frequencyPenalty(),
          s.presencePenalty(),
          s.typicalP(),
          new TreeMap<>(s.logitBias()));
    }

    SamplingOptions options() {
      return new SamplingOptions(
          temperature,
          topK,
          topP,
          minP,
          repeatPenalty,
          repeatLastN,
          seed,
          frequencyPenalty,
          presencePenalty,
          typicalP,
          logitBias);
    }
  }

  ChatOptions chat() {
    return new ChatOptions(List.of(), variables);
  }

  /// Options of all rows, with the seed that those of rows follow from.
  ///
  /// @throws dev.quern.llama.error.RequestException where one is out of range, or the schema can't
  ///   be kept to
  GenerationOptions options(SchemaConstraints constraints) {
    GenerationOptions options =
        GenerationOptions.of(maxTokens, sampling.options()).withStopStrings(stop);
    return jsonSchema == null ? options : options.withConstraint(constraints.of(jsonSchema));
  }
}

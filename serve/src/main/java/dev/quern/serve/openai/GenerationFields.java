package dev.quern.serve.openai;

import dev.quern.llama.GenerationOptions;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.constrain.Constraint;
import dev.quern.llama.sampling.SamplingOptions;
import dev.quern.serve.answer.SamplingFields;
import dev.quern.serve.http.HttpFailure;
import dev.quern.serve.http.JsonFields;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;

/// The fields that say how text is generated, which chat and text completions share.
///
/// @param options for the first of `n` completions: each that follows has a seed larger by one
/// @param n how many
/// @param stream whether the answer comes in parts
/// @param includeUsage whether a stream ends with its usage
record GenerationFields(GenerationOptions options, int n, boolean stream, boolean includeUsage) {
  private static final int MOST_CHOICES = 128; // OpenAI's

  /// @param maxTokens where the request names none
  static GenerationFields read(JsonFields f, LlamaModel model, int maxTokens) {
    boolean stream = f.flag("stream", false);
    boolean includeUsage = false;
    var streamOptions = f.object("stream_options");
    if (streamOptions.isPresent()) {
      if (!stream) {
        throw HttpFailure.invalid(
            f.path("stream_options"), "stream_options: expected stream=true beside it");
      }
      includeUsage = streamOptions.get().flag("include_usage", false);
      streamOptions.get().only("include_obfuscation", "false", "events are not padded");
      streamOptions.get().end();
    }
    f.only("cache_prompt", "true", "prompts that begin as earlier ones always cost what is new");
    f.meansNothing("user", "metadata", "safety_identifier", "prompt_cache_key");
    f.only("store", "false", "nothing is stored");
    GenerationOptions options =
        GenerationOptions.of(maxTokens(f, maxTokens), sampling(f, model))
            .withStopStrings(SamplingFields.stops(f));
    if (f.flag("ignore_eos", false)) {
      options = options.ignoringEnd();
    }
    int n = f.integer("n", 1, MOST_CHOICES).orElse(1);
    return new GenerationFields(options, n, stream, includeUsage);
  }

  /// These, held to a form, and with log probabilities.
  GenerationFields with(Optional<Constraint> constraint, OptionalInt logProbabilities) {
    GenerationOptions changed = constraint.map(options::withConstraint).orElse(options);
    if (logProbabilities.isPresent()) {
      changed = changed.withLogProbabilities(logProbabilities.getAsInt());
    }
    return new GenerationFields(changed, n, stream, includeUsage);
  }

  /// The options of a completion.
  GenerationOptions options(int choice) {
    SamplingOptions sampling = options.sampling();
    return options.withSampling(sampling.withSeed(sampling.seed() + choice));
  }

  private static int maxTokens(JsonFields f, int absent) {
    var older = f.integer("max_tokens", 0, Integer.MAX_VALUE);
    var newer = f.integer("max_completion_tokens", 0, Integer.MAX_VALUE);
    if (older.isPresent() && newer.isPresent() && older.getAsInt() != newer.getAsInt()) {
      throw HttpFailure.invalid(
          f.path("max_tokens"),
          "max_tokens: max_completion_tokens is another, expected one of both");
    }
    return newer.orElse(older.orElse(absent));
  }

  /// What a request leaves open is as llama.cpp has it (see docs/decisions.md, D278).
  private static SamplingOptions sampling(JsonFields f, LlamaModel model) {
    return SamplingFields.read(f, SamplingOptions.standard(0), model.context())
        .withLogitBias(logitBias(f, model));
  }

  private static Map<Integer, Double> logitBias(JsonFields f, LlamaModel model) {
    var given = f.object("logit_bias");
    if (given.isEmpty()) {
      return Map.of();
    }
    int vocabulary = model.config().vocabulary();
    Map<Integer, Double> biases = new TreeMap<>();
    for (String name : given.get().all().keySet()) {
      boolean id = name.matches("[0-9]{1,9}") && Integer.parseInt(name) < vocabulary;
      if (!id) {
        throw HttpFailure.invalid(
            given.get().path(name),
            String.format(
                Locale.ROOT,
                "%s: expected a token's id, 0 to %d",
                given.get().path(name),
                vocabulary - 1));
      }
      biases.put(
          Integer.parseInt(name),
          given
              .get()
              .number(name, -100, 100)
              .orElseThrow(() -> given.get().wrong(name, "a number from -100 to 100")));
    }
    return biases;
  }
}

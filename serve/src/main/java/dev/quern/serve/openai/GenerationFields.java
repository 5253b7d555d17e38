package dev.quern.serve.openai;

import com.fasterxml.jackson.databind.JsonNode;
import dev.quern.llama.GenerationOptions;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.constrain.Constraint;
import dev.quern.llama.sampling.SamplingOptions;
import dev.quern.serve.http.HttpFailure;
import dev.quern.serve.http.JsonFields;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.concurrent.ThreadLocalRandom;

/// The fields that say how text is generated, which chat and text completions share.
///
/// @param options for the first of `n` completions: each that follows has a seed larger by one
/// @param n how many
/// @param stream whether the answer comes in parts
/// @param includeUsage whether a stream ends with its usage
record GenerationFields(GenerationOptions options, int n, boolean stream, boolean includeUsage) {
  private static final int MOST_CHOICES = 128; // OpenAI's
  private static final int MOST_STOPS = 16;

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
        GenerationOptions.of(maxTokens(f, maxTokens), sampling(f, model)).withStopStrings(stops(f));
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

  private static List<String> stops(JsonFields f) {
    List<String> stops = new ArrayList<>();
    f.any("stop")
        .ifPresent(stop -> {
          if (stop.isTextual()) {
            stops.add(stop.textValue());
            return;
          }
          for (JsonNode one : f.array("stop")) {
            if (!one.isTextual()) {
              throw f.wrong("stop", "a string or an array of strings");
            }
            stops.add(one.textValue());
          }
        });
    if (stops.size() > MOST_STOPS || stops.contains("")) {
      throw f.wrong(
          "stop", String.format(Locale.ROOT, "at most %d strings, none of them empty", MOST_STOPS));
    }
    return stops;
  }

  /// What a request leaves open is as llama.cpp has it (see docs/decisions.md, D278).
  private static SamplingOptions sampling(JsonFields f, LlamaModel model) {
    long seed = f.longInteger("seed").orElseGet(() -> ThreadLocalRandom.current().nextLong());
    SamplingOptions standard = SamplingOptions.standard(seed);
    return new SamplingOptions(
        f.number("temperature", 0, 100).orElse(standard.temperature()),
        f.integer("top_k", 0, Integer.MAX_VALUE).orElse(standard.topK()),
        fraction(f, "top_p", standard.topP()),
        f.number("min_p", 0, 1).orElse(standard.minP()),
        f.number("repeat_penalty", 0.01, 100).orElse(standard.repeatPenalty()),
        f.integer("repeat_last_n", 0, Integer.MAX_VALUE).orElse(standard.repeatLastN()),
        seed,
        f.number("frequency_penalty", -2, 2).orElse(0),
        f.number("presence_penalty", -2, 2).orElse(0),
        fraction(f, "typical_p", 1),
        logitBias(f, model));
  }

  private static double fraction(JsonFields f, String name, double absent) {
    OptionalDouble value = f.number(name, 0, 1);
    if (value.isPresent() && value.getAsDouble() == 0) {
      throw f.wrong(name, "a number above 0, at most 1");
    }
    return value.orElse(absent);
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

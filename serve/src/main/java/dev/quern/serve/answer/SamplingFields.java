package dev.quern.serve.answer;

import com.fasterxml.jackson.databind.JsonNode;
import dev.quern.llama.sampling.SamplingOptions;
import dev.quern.serve.http.HttpFailure;
import dev.quern.serve.http.JsonFields;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.concurrent.ThreadLocalRandom;

/// How tokens are chosen, in the names that OpenAI, llama.cpp's server and Ollama share.
public final class SamplingFields {
  private static final int MOST_STOPS = 16;

  private SamplingFields() {}

  /// @param absent what fields are that the request has not, but for the seed, which is another one
  ///   each time
  /// @param context tokens of a sequence, which `repeat_last_n` of -1 stands for
  /// @throws HttpFailure 400 where a field is out of its range
  public static SamplingOptions read(JsonFields f, SamplingOptions absent, int context) {
    SamplingOptions seeded = seeded(absent);
    int last = f.integer("repeat_last_n", -1, Integer.MAX_VALUE).orElse(absent.repeatLastN());
    return new SamplingOptions(
        f.number("temperature", 0, 100).orElse(absent.temperature()),
        f.integer("top_k", 0, Integer.MAX_VALUE).orElse(absent.topK()),
        fraction(f, "top_p", absent.topP()),
        f.number("min_p", 0, 1).orElse(absent.minP()),
        f.number("repeat_penalty", 0.01, 100).orElse(absent.repeatPenalty()),
        last < 0 ? context : last,
        f.longInteger("seed").orElse(seeded.seed()),
        f.number("frequency_penalty", -2, 2).orElse(absent.frequencyPenalty()),
        f.number("presence_penalty", -2, 2).orElse(absent.presencePenalty()),
        fraction(f, "typical_p", absent.typicalP()),
        absent.logitBias());
  }

  /// These with a seed that nobody knows.
  public static SamplingOptions seeded(SamplingOptions options) {
    return options.withSeed(ThreadLocalRandom.current().nextLong());
  }

  /// A field above 0, at most 1.
  public static double fraction(JsonFields f, String name, double absent) {
    OptionalDouble value = f.number(name, 0, 1);
    if (value.isPresent() && value.getAsDouble() == 0) {
      throw f.wrong(name, "a number above 0, at most 1");
    }
    return value.orElse(absent);
  }

  /// `stop`: texts that end a reply.
  ///
  /// @throws HttpFailure 400 where they are none
  public static List<String> stops(JsonFields f) {
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
}

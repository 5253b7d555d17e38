package dev.quern.serve.openai;

import com.fasterxml.jackson.databind.JsonNode;
import dev.quern.llama.GenerationOptions;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.constrain.Constraint;
import dev.quern.llama.sampling.SamplingOptions;
import dev.quern.serve.answer.SamplingFields;
import dev.quern.serve.answer.ToolFields;
import dev.quern.serve.http.HttpFailure;
import dev.quern.serve.http.Json;
import dev.quern.serve.http.JsonFields;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What a request for a response says beside its input.
///
/// @param shown what the response repeats of it, under the request's names
record ResponseFields(
    GenerationOptions options, ToolFields tools, boolean stream, Map<String, Object> shown) {

  /// @throws HttpFailure 400 where a field can't be honoured
  static ResponseFields read(JsonFields f, LlamaModel model, ResponseFormats formats) {
    refuse(f);
    Map<String, Object> shown = new LinkedHashMap<>();
    shown.put("instructions", f.string("instructions").orElse(null));
    var most = f.integer("max_output_tokens", 1, Integer.MAX_VALUE);
    shown.put("max_output_tokens", most.isPresent() ? most.getAsInt() : null);
    SamplingOptions sampling = SamplingFields.read(f, SamplingOptions.standard(0), model.context());
    shown.put("temperature", sampling.temperature());
    shown.put("top_p", sampling.topP());
    GenerationOptions options =
        GenerationOptions.of(most.orElse(model.context()), sampling)
            .withStopStrings(SamplingFields.stops(f));
    ToolFields tools = ToolFields.readFlat(f);
    shown.put("tools", f.any("tools").map(Json::plain).orElse(List.of()));
    shown.put("tool_choice", f.any("tool_choice").map(Json::plain).orElse("auto"));
    shown.put("parallel_tool_calls", tools.parallel());
    Optional<JsonNode> text = f.any("text");
    Optional<Constraint> format =
        f.object("text")
            .flatMap(given -> {
              Optional<Constraint> read = formats.readFlat(given);
              given.only("verbosity", "\"medium\"", "replies are as long as the model makes them");
              given.end();
              return read;
            });
    shown.put("text", text.map(Json::plain).orElse(Map.of("format", Map.of("type", "text"))));
    shown.put("metadata", f.object("metadata").map(JsonFields::all).orElse(Map.of()));
    shown.put("truncation", "disabled");
    shown.put("previous_response_id", null);
    shown.put("store", false);
    return new ResponseFields(
        format.map(options::withConstraint).orElse(options), tools, f.flag("stream", false), shown);
  }

  private static void refuse(JsonFields f) {
    f.only("store", "false", "nothing is stored");
    if (f.has("previous_response_id")) {
      throw HttpFailure.unsupported(
          f.path("previous_response_id"),
          "previous_response_id: nothing is stored, expected the whole conversation as input");
    }
    f.only("background", "false", "responses are answered at once");
    f.only("truncation", "\"disabled\"", "input that is too long is refused");
    f.only("include", "[]", "nothing more is told");
    f.only("top_logprobs", "0", "log probabilities are in /v1/chat/completions alone");
    f.only("service_tier", "\"auto\"", "there is one");
    f.object("stream_options")
        .ifPresent(given -> {
          given.only("include_obfuscation", "false", "events are not padded");
          given.end();
        });
    f.meansNothing("user", "safety_identifier", "prompt_cache_key");
  }
}

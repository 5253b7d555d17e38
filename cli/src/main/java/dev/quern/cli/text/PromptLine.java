package dev.quern.cli.text;

import dev.quern.cli.console.Json;
import dev.quern.cli.console.UserException;
import dev.quern.llama.EngineRequest;
import dev.quern.llama.GenerationOptions;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.constrain.Constraint;
import dev.quern.llama.constrain.SchemaConstraints;
import dev.quern.llama.sampling.SamplingOptions;
import dev.quern.llama.sampling.Seeds;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/// A line of a file of prompts: `{"id": ..., "prompt": "..."}`, or `messages` in place of `prompt`,
/// with options of its own.
///
/// @param id a text or a whole number
/// @param members the rest
record PromptLine(Object id, Map<String, Object> members) {
  /// @throws UserException if the text is no such line
  static PromptLine of(String text) {
    if (!(Json.read(text, "the line") instanceof Map<?, ?> object)) {
      throw new UserException("no JSON object, expected {\"id\": ..., \"prompt\": ...}");
    }
    Map<String, Object> members = new LinkedHashMap<>();
    object.forEach((key, value) -> members.put((String) key, value));
    Object id = members.remove("id");
    if (!(id instanceof String || id instanceof Integer || id instanceof Long)) {
      throw new UserException("id: expected a text or a whole number");
    }
    return new PromptLine(id, members);
  }

  /// The seed that follows from the id, so that another run says the same.
  ///
  /// @param base of all lines
  long seed(long base) {
    return Seeds.of(base, Json.line(id));
  }

  /// What an engine is asked for.
  ///
  /// @param usual options of lines that have none of their own, with the seed of all
  /// @param special whether special tokens in a prompt are tokens
  /// @param schemas of all lines, many of which may have the same one
  /// @throws UserException where a member is not what it should be, or none that there is
  /// @throws dev.quern.QuernException where the model can't be asked for it
  EngineRequest request(
      LlamaModel model, GenerationOptions usual, boolean special, SchemaConstraints schemas) {
    Map<String, Object> rest = new LinkedHashMap<>(members);
    final Object prompt = rest.remove("prompt");
    final Object messages = rest.remove("messages");
    GenerationOptions options = options(rest, usual, schemas);
    if (!rest.isEmpty()) {
      throw new UserException(
          "no member of a line: " + String.join(", ", new TreeSet<>(rest.keySet())));
    }
    if ((prompt == null) == (messages == null)) {
      throw new UserException("expected a prompt or messages, one of both");
    }
    if (messages != null) {
      return EngineRequest.of(
          model.chatTemplate().render(MessagesJson.read(messages, "messages")), options);
    }
    if (!(prompt instanceof String text)) {
      throw new UserException("prompt: expected a text");
    }
    return EngineRequest.of(model.tokenizer().encodeBeginning(text, special), options);
  }

  /// Takes the options out of the members.
  private GenerationOptions options(
      Map<String, Object> rest, GenerationOptions usual, SchemaConstraints schemas) {
    SamplingOptions s = usual.sampling();
    GenerationOptions options =
        whole(rest, "max_tokens").map(n -> usual.withMaxTokens(n.intValue())).orElse(usual);
    options =
        options.withSampling(
            new SamplingOptions(
                number(rest, "temperature").orElse(s.temperature()),
                whole(rest, "top_k").map(Long::intValue).orElse(s.topK()),
                number(rest, "top_p").orElse(s.topP()),
                number(rest, "min_p").orElse(s.minP()),
                number(rest, "repeat_penalty").orElse(s.repeatPenalty()),
                whole(rest, "repeat_last_n").map(Long::intValue).orElse(s.repeatLastN()),
                whole(rest, "seed").orElse(seed(s.seed())),
                number(rest, "frequency_penalty").orElse(s.frequencyPenalty()),
                number(rest, "presence_penalty").orElse(s.presencePenalty()),
                number(rest, "typical_p").orElse(s.typicalP()),
                s.logitBias()));
    Object stop = rest.remove("stop");
    if (stop != null) {
      options = options.withStopStrings(texts(stop));
    }
    Optional<Long> logProbabilities = whole(rest, "logprobs");
    if (logProbabilities.isPresent()) {
      options = options.withLogProbabilities(logProbabilities.get().intValue());
    }
    Optional<Constraint> form = form(rest, schemas);
    return form.isPresent() ? options.withConstraint(form.get()) : options;
  }

  private static Optional<Constraint> form(Map<String, Object> rest, SchemaConstraints schemas) {
    Object schema = rest.remove("json_schema");
    Object regex = rest.remove("regex");
    if (schema != null && regex != null) {
      throw new UserException("json_schema and regex: expected one of both");
    }
    if (schema != null) {
      return Optional.of(schemas.of(Json.line(schema)));
    }
    if (regex == null) {
      return Optional.empty();
    }
    if (!(regex instanceof String text)) {
      throw new UserException("regex: expected a text");
    }
    return Optional.of(Constraint.regex(text));
  }

  private static Optional<Double> number(Map<String, Object> rest, String name) {
    Object value = rest.remove(name);
    if (value == null) {
      return Optional.empty();
    }
    if (value instanceof Number n) {
      return Optional.of(n.doubleValue());
    }
    throw new UserException(name + ": expected a number");
  }

  private static Optional<Long> whole(Map<String, Object> rest, String name) {
    Object value = rest.remove(name);
    if (value == null) {
      return Optional.empty();
    }
    if (value instanceof Integer || value instanceof Long && name.equals("seed")) {
      return Optional.of(((Number) value).longValue());
    }
    throw new UserException(name + ": expected a whole number");
  }

  private static List<String> texts(Object stop) {
    List<?> list = stop instanceof List<?> several ? several : List.of(stop);
    if (!list.stream().allMatch(String.class::isInstance)) {
      throw new UserException("stop: expected a text, or a list of them");
    }
    return list.stream().map(String.class::cast).toList();
  }
}

package dev.quern.langchain4j;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.internal.JsonSchemaElementJsonUtils;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.request.ToolChoice;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.request.json.JsonRawSchema;
import dev.langchain4j.model.chat.request.json.JsonSchemaElement;
import dev.quern.llama.GenerationOptions;
import dev.quern.llama.chat.Tool;
import dev.quern.llama.constrain.Constraint;
import dev.quern.llama.sampling.SamplingOptions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;

/// LangChain4j's requests as Quern's.
final class Requests {
  private static final ObjectMapper JSON = new ObjectMapper();

  /// Where a schema of nothing would let in any arguments.
  private static final String NO_PARAMETERS = "{\"type\":\"object\",\"properties\":{}}";

  private Requests() {}

  /// @throws UnsupportedFeatureException if it asks for what can't be done
  /// @throws dev.quern.QuernException if a value is out of range, or a schema can't be kept to
  static dev.quern.llama.chat.ChatRequest mapped(QuernModel model, ChatRequest request) {
    QuernChatRequestParameters parameters =
        QuernChatRequestParameters.builder().overrideWith(request.parameters()).build();
    GenerationOptions options = options(model, parameters);
    List<Tool> tools =
        parameters.toolSpecifications().stream()
            .map(t -> tool(t, parameters.toolChoice()))
            .toList();
    dev.quern.llama.chat.ChatRequest mapped =
        dev.quern.llama.chat.ChatRequest.of(Messages.mapped(request.messages()), options)
            .withTools(tools)
            .withVariables(parameters.templateVariables());
    if (parameters.toolChoice() != null) {
      mapped = mapped.withChoice(choice(parameters.toolChoice()));
    }
    return parameters.timeout() == null ? mapped : mapped.withDeadline(parameters.timeout());
  }

  /// What a request's parameters say of the text.
  static GenerationOptions options(QuernModel model, QuernChatRequestParameters parameters) {
    ChatCalls.requireName(model, parameters.modelName());
    int maxTokens = or(parameters.maxOutputTokens(), model.llama().context());
    GenerationOptions options =
        GenerationOptions.of(maxTokens, sampling(parameters))
            .withStopStrings(parameters.stopSequences());
    return constraint(model, parameters.responseFormat())
        .map(options::withConstraint)
        .orElse(options);
  }

  private static SamplingOptions sampling(QuernChatRequestParameters p) {
    Long seed = p.seed();
    SamplingOptions s =
        SamplingOptions.standard(seed == null ? ThreadLocalRandom.current().nextLong() : seed);
    return new SamplingOptions(
            or(p.temperature(), s.temperature()),
            or(p.topK(), s.topK()),
            or(p.topP(), s.topP()),
            or(p.minP(), s.minP()),
            or(p.repeatPenalty(), s.repeatPenalty()),
            or(p.repeatLastN(), s.repeatLastN()),
            s.seed())
        .withPenalties(
            or(p.frequencyPenalty(), s.frequencyPenalty()),
            or(p.presencePenalty(), s.presencePenalty()))
        .withTypicalP(or(p.typicalP(), s.typicalP()));
  }

  private static <T> T or(T value, T otherwise) {
    return value != null ? value : otherwise;
  }

  private static Optional<Constraint> constraint(QuernModel model, ResponseFormat format) {
    if (format == null || format.type() == ResponseFormatType.TEXT) {
      return Optional.empty();
    }
    return Optional.of(
        format.jsonSchema() == null
            ? model.constraints().anyObject()
            : model.constraints().of(schema(format.jsonSchema().rootElement())));
  }

  private static dev.quern.llama.chat.ToolChoice choice(ToolChoice choice) {
    return switch (choice) {
      case AUTO -> dev.quern.llama.chat.ToolChoice.AUTO;
      case REQUIRED -> dev.quern.llama.chat.ToolChoice.REQUIRED;
      case NONE -> dev.quern.llama.chat.ToolChoice.NONE;
    };
  }

  private static Tool tool(ToolSpecification tool, ToolChoice choice) {
    boolean free = choice == null || choice == ToolChoice.AUTO;
    if (Boolean.TRUE.equals(tool.strict()) && free) {
      throw new UnsupportedFeatureException(
          "tool "
              + tool.name()
              + ": strict is not supported where the model may also answer with text, expected toolChoice REQUIRED, which holds arguments to their schema always");
    }
    JsonObjectSchema parameters = tool.parameters();
    boolean none = parameters == null || parameters.equals(JsonObjectSchema.builder().build());
    return new Tool(
        tool.name(),
        Optional.ofNullable(tool.description()),
        none ? NO_PARAMETERS : schema(parameters));
  }

  /// @throws InvalidRequestException if a raw schema is no JSON
  private static String schema(JsonSchemaElement element) {
    if (element instanceof JsonRawSchema raw) {
      return raw.schema(); // whoever reads it says where it is wrong
    }
    Map<String, Object> schema;
    try {
      schema = JsonSchemaElementJsonUtils.toMap(element);
    } catch (RuntimeException e) {
      throw new InvalidRequestException("schema: a raw element is no JSON object", e);
    }
    try {
      return JSON.writeValueAsString(schema);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e); // maps, lists and values are JSON
    }
  }
}

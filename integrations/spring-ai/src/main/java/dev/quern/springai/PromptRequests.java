package dev.quern.springai;

import dev.quern.llama.GenerationOptions;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.chat.ChatRequest;
import dev.quern.llama.chat.Tool;
import dev.quern.llama.chat.ToolChoice;
import dev.quern.llama.constrain.SchemaConstraints;
import dev.quern.llama.error.RequestException;
import dev.quern.llama.sampling.SamplingOptions;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.chat.prompt.ChatOptions;
import org.springframework.ai.chat.prompt.DefaultChatOptions;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.model.tool.DefaultStructuredOutputChatOptions;
import org.springframework.ai.model.tool.DefaultToolCallingChatOptions;
import org.springframework.ai.model.tool.ToolCallingManager;
import org.springframework.ai.tool.definition.ToolDefinition;

/// A prompt of Spring AI as a request to a model: all that it asks for, or a refusal.
///
/// @param name of the model, the only one that it answers to
final class PromptRequests {
  private static final List<Class<?>> PORTABLE =
      List.of(
          DefaultChatOptions.class,
          DefaultToolCallingChatOptions.class,
          DefaultStructuredOutputChatOptions.class);

  private final LlamaModel model;
  private final String name;
  private final ToolCallingManager tools;

  private final SchemaConstraints schemas = new SchemaConstraints();

  PromptRequests(LlamaModel model, String name, ToolCallingManager tools) {
    this.model = model;
    this.name = name;
    this.tools = tools;
  }

  /// The prompt with options of a [QuernChatModel]: its own, or those of the model.
  ///
  /// @throws RequestException if the options are another model's, or ask for one
  Prompt complete(Prompt prompt, QuernChatOptions defaults) {
    QuernChatOptions options = own(prompt.getOptions(), defaults);
    if (options.getModel() == null) {
      options = options.mutate().model(name).build();
    } else if (!options.getModel().equals(name)) {
      throw new RequestException(
          String.format(
              Locale.ROOT,
              "chat: model=%s, expected none, or %s, the one that is loaded",
              options.getModel(),
              name));
    }
    return prompt.mutate().chatOptions(options).build();
  }

  private static QuernChatOptions own(@Nullable ChatOptions asked, QuernChatOptions defaults) {
    if (asked == null) {
      return defaults;
    }
    if (asked instanceof QuernChatOptions own) {
      return own;
    }
    if (!PORTABLE.contains(asked.getClass())) {
      throw new RequestException(
          String.format(
              Locale.ROOT,
              "chat: options of %s, expected QuernChatOptions or ChatOptions.builder()'s",
              asked.getClass().getName()));
    }
    return QuernChatOptions.builder().combineWith(asked.mutate()).build();
  }

  /// @param prompt a complete one
  ChatRequest request(Prompt prompt) {
    QuernChatOptions options = (QuernChatOptions) Objects.requireNonNull(prompt.getOptions());
    List<ToolDefinition> definitions = tools.resolveToolDefinitions(options);
    ChatRequest request =
        ChatRequest.of(PromptMessages.of(prompt.getInstructions()), generation(options))
            .withTools(
                definitions.stream()
                    .map(t -> new Tool(t.name(), Optional.of(t.description()), t.inputSchema()))
                    .toList())
            .withChoice(choice(options.getToolChoice()))
            .withVariables(or(options.getTemplateVariables(), Map.of()));
    return options.getTimeout() == null ? request : request.withDeadline(options.getTimeout());
  }

  private GenerationOptions generation(QuernChatOptions options) {
    GenerationOptions generation =
        GenerationOptions.of(or(options.getMaxTokens(), model.context()), sampling(options))
            .withStopStrings(or(options.getStopSequences(), List.of()));
    String schema = options.getOutputSchema();
    return schema == null ? generation : generation.withConstraint(schemas.of(schema));
  }

  private static SamplingOptions sampling(QuernChatOptions options) {
    long seed = or(options.getSeed(), ThreadLocalRandom.current().nextLong());
    SamplingOptions standard = SamplingOptions.standard(seed);
    return new SamplingOptions(
        or(options.getTemperature(), standard.temperature()),
        or(options.getTopK(), standard.topK()),
        or(options.getTopP(), standard.topP()),
        or(options.getMinP(), standard.minP()),
        or(options.getRepeatPenalty(), standard.repeatPenalty()),
        or(options.getRepeatLastN(), standard.repeatLastN()),
        seed,
        or(options.getFrequencyPenalty(), standard.frequencyPenalty()),
        or(options.getPresencePenalty(), standard.presencePenalty()),
        or(options.getTypicalP(), standard.typicalP()),
        or(options.getLogitBias(), Map.of()));
  }

  private static ToolChoice choice(@Nullable String choice) {
    return switch (or(choice, "auto")) {
      case "auto" -> ToolChoice.AUTO;
      case "none" -> ToolChoice.NONE;
      case "required" -> ToolChoice.REQUIRED;
      case String tool -> ToolChoice.named(tool);
    };
  }

  private static <T> T or(@Nullable T value, T otherwise) {
    return value == null ? otherwise : value;
  }
}

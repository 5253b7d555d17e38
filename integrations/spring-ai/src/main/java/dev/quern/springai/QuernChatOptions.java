package dev.quern.springai;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonInclude;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.model.tool.DefaultToolCallingChatOptions;
import org.springframework.ai.model.tool.StructuredOutputChatOptions;
import org.springframework.ai.model.tool.ToolCallingChatOptions;
import org.springframework.ai.tool.ToolCallback;
import tools.jackson.databind.annotation.JsonDeserialize;

/// What a prompt asks of a [QuernChatModel]: Spring AI's portable options, tools, a schema for the
/// reply, and Quern's own. What is null is as in
/// [dev.quern.llama.sampling.SamplingOptions#standard(long)], and without an end but the context's.
/// Options of a prompt take the place of the model's; Spring AI's `ChatClient` puts its own over
/// these one by one.
///
/// ```java
/// QuernChatOptions.builder().temperature(0.2).maxTokens(200).seed(1L).build();
/// ```
///
/// Its JSON has all but tool callbacks and their context, which are objects of this process.
///
/// @since 0.1
/// @stability api
@JsonInclude(JsonInclude.Include.NON_NULL)
@JsonDeserialize(builder = QuernChatOptionsBuilder.class)
public final class QuernChatOptions extends DefaultToolCallingChatOptions
    implements StructuredOutputChatOptions {
  /// What portable options lack; one that is not set is not in the map.
  enum Own {
    MIN_P,
    TYPICAL_P,
    REPEAT_PENALTY,
    REPEAT_LAST_N,
    SEED,
    LOGIT_BIAS,
    TOOL_CHOICE,
    TEMPLATE_VARIABLES,
    TIMEOUT,
    OUTPUT_SCHEMA
  }

  private final Map<Own, Object> own;

  QuernChatOptions(ToolCallingChatOptions portable, Map<Own, Object> own) {
    super(
        portable.getToolCallbacks(),
        portable.getToolContext(),
        portable.getModel(),
        portable.getFrequencyPenalty(),
        portable.getMaxTokens(),
        portable.getPresencePenalty(),
        portable.getStopSequences(),
        portable.getTemperature(),
        portable.getTopK(),
        portable.getTopP());
    this.own = Map.copyOf(own);
  }

  public static QuernChatOptionsBuilder builder() {
    return new QuernChatOptionsBuilder();
  }

  /// The least fraction of the likeliest token's probability, in [0, 1].
  public @Nullable Double getMinP() {
    return (Double) own.get(Own.MIN_P);
  }

  /// The probability that locally typical tokens have together, in (0, 1].
  public @Nullable Double getTypicalP() {
    return (Double) own.get(Own.TYPICAL_P);
  }

  /// Divides the logits of tokens that occurred lately, in [0.01, 100].
  public @Nullable Double getRepeatPenalty() {
    return (Double) own.get(Own.REPEAT_PENALTY);
  }

  /// How many of the last tokens the penalties look at.
  public @Nullable Integer getRepeatLastN() {
    return (Integer) own.get(Own.REPEAT_LAST_N);
  }

  /// Of the random numbers; where it is null, each request draws its own.
  public @Nullable Long getSeed() {
    return (Long) own.get(Own.SEED);
  }

  /// Token id to what is added to its logit.
  @SuppressWarnings("unchecked") // the builder puts nothing else there
  public @Nullable Map<Integer, Double> getLogitBias() {
    return (Map<Integer, Double>) own.get(Own.LOGIT_BIAS);
  }

  /// Which tool is called: `auto`, `none`, `required`, or a tool's name.
  public @Nullable String getToolChoice() {
    return (String) own.get(Own.TOOL_CHOICE);
  }

  /// What the chat template knows beside the messages, such as `enable_thinking`.
  @SuppressWarnings("unchecked") // the builder puts nothing else there
  public @Nullable Map<String, Object> getTemplateVariables() {
    return (Map<String, Object>) own.get(Own.TEMPLATE_VARIABLES);
  }

  /// After which a request ends, wherever it is.
  public @Nullable Duration getTimeout() {
    return (Duration) own.get(Own.TIMEOUT);
  }

  /// The JSON schema that the reply fits, kept to token by token.
  @Override
  public @Nullable String getOutputSchema() {
    return (String) own.get(Own.OUTPUT_SCHEMA);
  }

  @Override
  @JsonIgnore
  public @Nullable List<ToolCallback> getToolCallbacks() {
    return super.getToolCallbacks();
  }

  @Override
  @JsonIgnore
  public @Nullable Map<String, Object> getToolContext() {
    return super.getToolContext();
  }

  @Override
  public QuernChatOptionsBuilder mutate() {
    return new QuernChatOptionsBuilder(own)
        .model(getModel())
        .frequencyPenalty(getFrequencyPenalty())
        .maxTokens(getMaxTokens())
        .presencePenalty(getPresencePenalty())
        .stopSequences(getStopSequences())
        .temperature(getTemperature())
        .topK(getTopK())
        .topP(getTopP())
        .toolCallbacks(getToolCallbacks())
        .toolContext(getToolContext());
  }

  @Override
  public boolean equals(@Nullable Object o) {
    return super.equals(o) && o instanceof QuernChatOptions other && own.equals(other.own);
  }

  @Override
  public int hashCode() {
    return Objects.hash(super.hashCode(), own);
  }
}

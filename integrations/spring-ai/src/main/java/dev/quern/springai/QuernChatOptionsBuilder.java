package dev.quern.springai;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import dev.quern.springai.QuernChatOptions.Own;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.chat.prompt.ChatOptions;
import org.springframework.ai.model.tool.DefaultToolCallingChatOptions;
import org.springframework.ai.model.tool.StructuredOutputChatOptions;
import tools.jackson.databind.annotation.JsonPOJOBuilder;

/// Makes [QuernChatOptions]. Null takes a value back.
///
/// @since 0.1
/// @stability api
@JsonPOJOBuilder(withPrefix = "")
@JsonIgnoreProperties({"toolCallbacks", "toolContext", "combineWith"})
public final class QuernChatOptionsBuilder
    extends DefaultToolCallingChatOptions.Builder<QuernChatOptionsBuilder>
    implements StructuredOutputChatOptions.Builder<QuernChatOptionsBuilder> {
  private Map<Own, Object> own = new EnumMap<>(Own.class);

  QuernChatOptionsBuilder() {}

  QuernChatOptionsBuilder(Map<Own, Object> own) {
    this.own.putAll(own);
  }

  /// See [QuernChatOptions#getMinP()].
  public QuernChatOptionsBuilder minP(@Nullable Double minP) {
    return set(Own.MIN_P, minP);
  }

  /// See [QuernChatOptions#getTypicalP()].
  public QuernChatOptionsBuilder typicalP(@Nullable Double typicalP) {
    return set(Own.TYPICAL_P, typicalP);
  }

  /// See [QuernChatOptions#getRepeatPenalty()].
  public QuernChatOptionsBuilder repeatPenalty(@Nullable Double repeatPenalty) {
    return set(Own.REPEAT_PENALTY, repeatPenalty);
  }

  /// See [QuernChatOptions#getRepeatLastN()].
  public QuernChatOptionsBuilder repeatLastN(@Nullable Integer repeatLastN) {
    return set(Own.REPEAT_LAST_N, repeatLastN);
  }

  /// See [QuernChatOptions#getSeed()].
  public QuernChatOptionsBuilder seed(@Nullable Long seed) {
    return set(Own.SEED, seed);
  }

  /// See [QuernChatOptions#getLogitBias()].
  public QuernChatOptionsBuilder logitBias(@Nullable Map<Integer, Double> logitBias) {
    return set(Own.LOGIT_BIAS, logitBias == null ? null : Map.copyOf(logitBias));
  }

  /// See [QuernChatOptions#getToolChoice()].
  public QuernChatOptionsBuilder toolChoice(@Nullable String toolChoice) {
    return set(Own.TOOL_CHOICE, toolChoice);
  }

  /// See [QuernChatOptions#getTemplateVariables()].
  public QuernChatOptionsBuilder templateVariables(@Nullable Map<String, Object> variables) {
    return set(Own.TEMPLATE_VARIABLES, variables == null ? null : Map.copyOf(variables));
  }

  /// See [QuernChatOptions#getTimeout()].
  public QuernChatOptionsBuilder timeout(@Nullable Duration timeout) {
    return set(Own.TIMEOUT, timeout);
  }

  /// See [QuernChatOptions#getOutputSchema()].
  @Override
  public QuernChatOptionsBuilder outputSchema(@Nullable String outputSchema) {
    return set(Own.OUTPUT_SCHEMA, outputSchema);
  }

  private QuernChatOptionsBuilder set(Own option, @Nullable Object value) {
    if (value == null) {
      own.remove(option);
    } else {
      own.put(option, value);
    }
    return this;
  }

  @Override
  public QuernChatOptionsBuilder clone() {
    QuernChatOptionsBuilder copy = super.clone();
    copy.own = new EnumMap<>(own);
    return copy;
  }

  @Override
  public QuernChatOptionsBuilder combineWith(ChatOptions.Builder<?> other) {
    super.combineWith(other);
    if (other instanceof QuernChatOptionsBuilder quern) {
      own.putAll(quern.own);
    } else if (other.build() instanceof StructuredOutputChatOptions structured
        && structured.getOutputSchema() != null) {
      outputSchema(structured.getOutputSchema());
    }
    return this;
  }

  @Override
  public QuernChatOptions build() {
    return new QuernChatOptions(super.build(), own);
  }
}

package dev.quern.spring.boot;

import dev.quern.springai.QuernChatOptions;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;

/// What prompts are run with where they say nothing: [QuernChatOptions], with the ranges that
/// [dev.quern.llama.sampling.SamplingOptions] gives them. What is null is as there.
///
/// @param temperature Divides the logits; 0 always takes the likeliest token. Default: 0.8.
/// @param topK How many of the likeliest tokens are kept; 0 keeps all. Default: 40.
/// @param topP Probability that the likeliest tokens which are kept have together. Default: 0.95.
/// @param minP Least fraction of the likeliest token's probability. Default: 0.05.
/// @param typicalP Probability that the locally typical tokens which are kept have together.
///   Default: 1.
/// @param repeatPenalty Divides the logits of tokens that occurred lately. Default: 1, none.
/// @param repeatLastN How many of the last tokens the penalties look at. Default: 64.
/// @param frequencyPenalty Taken from a token's logit as often as it occurred lately. Default: 0.
/// @param presencePenalty Taken once from the logit of a token that occurred lately. Default: 0.
/// @param seed Of the random numbers. Default: another one for each request.
/// @param maxTokens Most tokens of a reply. Default: what the context has room for.
/// @param stopSequences Texts that end a reply.
/// @param templateVariables What the chat template knows beside the messages, such as
///   enable_thinking; 'true' and 'false' are truth values.
/// @param timeout After which a request ends, wherever it is. Default: none.
/// @since 0.1
/// @stability api
@ConfigurationProperties(prefix = "quern.chat", ignoreUnknownFields = false)
public record QuernChatProperties(
    @Nullable Double temperature,
    @Nullable Integer topK,
    @Nullable Double topP,
    @Nullable Double minP,
    @Nullable Double typicalP,
    @Nullable Double repeatPenalty,
    @Nullable Integer repeatLastN,
    @Nullable Double frequencyPenalty,
    @Nullable Double presencePenalty,
    @Nullable Long seed,
    @Nullable Integer maxTokens,
    @Nullable List<String> stopSequences,
    @Nullable Map<String, Object> templateVariables,
    @Nullable Duration timeout) {
  private static final Map<Object, Object> TRUTHS = Map.of("true", true, "false", false);

  QuernChatOptions options() {
    return QuernChatOptions.builder()
        .temperature(temperature)
        .topK(topK)
        .topP(topP)
        .minP(minP)
        .typicalP(typicalP)
        .repeatPenalty(repeatPenalty)
        .repeatLastN(repeatLastN)
        .frequencyPenalty(frequencyPenalty)
        .presencePenalty(presencePenalty)
        .seed(seed)
        .maxTokens(maxTokens)
        .stopSequences(stopSequences)
        .templateVariables(templateVariables == null ? null : typed(templateVariables))
        .timeout(timeout)
        .build();
  }

  /// A properties file has texts alone, and to a template the text `false` is true.
  private static Map<String, Object> typed(Map<String, Object> variables) {
    Map<String, Object> typed = new HashMap<>(variables);
    typed.replaceAll((_, value) -> TRUTHS.getOrDefault(value, value));
    return typed;
  }
}

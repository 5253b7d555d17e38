package dev.quern.langchain4j;

import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.ResponseFormat;
import java.time.Duration;
import java.util.List;

/// What the builders of both chat models have in common: what a request gets that does not say
/// otherwise. Null is as if it were not said.
///
/// @param <B> the builder
/// @since 0.1
/// @stability api
public abstract sealed class ChatModelBuilder<B extends ChatModelBuilder<B>> extends ModelBuilder<B>
    permits QuernChatModel.Builder, QuernStreamingChatModel.Builder {
  private final QuernChatRequestParameters.Builder parameters =
      QuernChatRequestParameters.builder();
  private List<ChatModelListener> listeners = List.of();

  ChatModelBuilder() {}

  /// 0: always the likeliest token. By default 0.8.
  public B temperature(Double temperature) {
    parameters.temperature(temperature);
    return self();
  }

  /// By default 0.95.
  public B topP(Double topP) {
    parameters.topP(topP);
    return self();
  }

  /// By default 40; 0: all tokens.
  public B topK(Integer topK) {
    parameters.topK(topK);
    return self();
  }

  /// By default 0.05.
  public B minP(Double minP) {
    parameters.minP(minP);
    return self();
  }

  public B frequencyPenalty(Double frequencyPenalty) {
    parameters.frequencyPenalty(frequencyPenalty);
    return self();
  }

  public B presencePenalty(Double presencePenalty) {
    parameters.presencePenalty(presencePenalty);
    return self();
  }

  /// The same seed, options and prompt give the same reply; by default each request has its own.
  public B seed(Long seed) {
    parameters.seed(seed);
    return self();
  }

  /// See [#seed(Long)].
  public B seed(long seed) {
    return seed(Long.valueOf(seed));
  }

  /// Most tokens of a reply; by default as many as the context has room for.
  public B maxTokens(Integer maxTokens) {
    parameters.maxOutputTokens(maxTokens);
    return self();
  }

  /// Texts that end a reply, and are no part of it.
  public B stop(List<String> stop) {
    parameters.stopSequences(stop);
    return self();
  }

  /// Texts that end a reply, and are no part of it.
  public B stop(String... stop) {
    return stop(List.of(stop));
  }

  /// The form that replies are held to.
  public B responseFormat(ResponseFormat responseFormat) {
    parameters.responseFormat(responseFormat);
    return self();
  }

  /// How long a request may take, from when it is made: then it is a
  /// [dev.langchain4j.exception.TimeoutException].
  public B timeout(Duration timeout) {
    parameters.timeout(timeout);
    return self();
  }

  /// Any of these, and others; they win over what was set before.
  public B defaultRequestParameters(ChatRequestParameters parameters) {
    this.parameters.overrideWith(parameters);
    return self();
  }

  public B listeners(List<ChatModelListener> listeners) {
    this.listeners = List.copyOf(listeners);
    return self();
  }

  public B listeners(ChatModelListener... listeners) {
    return listeners(List.of(listeners));
  }

  /// What is built of it.
  ChatCalls calls() {
    Loaded loaded = load();
    try {
      if (parameters.build().modelName() == null) {
        parameters.modelName(loaded.model().name());
      }
      ChatCalls calls = new ChatCalls(loaded, parameters.build(), listeners);
      calls.check();
      return calls;
    } catch (RuntimeException e) { // rethrown: only what was loaded here is released
      loaded.close();
      throw e;
    }
  }
}

package dev.quern.langchain4j;

import dev.langchain4j.model.chat.Capability;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.response.ChatResponse;
import java.util.List;
import java.util.Set;

/// A chat model that runs in the process.
///
/// ```java
/// try (QuernChatModel model =
///     QuernChatModel.builder().modelPath(Path.of("model.gguf")).temperature(0.2).build()) {
///   model.chat("Why is the sky blue?");
/// }
/// ```
///
/// What of a request it can't do is an [dev.langchain4j.exception.UnsupportedFeatureException], and
/// what the model can't, such as a prompt that does not fit, an
/// [dev.langchain4j.exception.InvalidRequestException]; nothing is left out of it. A thread that is
/// interrupted cancels its request. Thread-safe: requests run side by side.
///
/// @since 0.1
/// @stability api
public final class QuernChatModel implements ChatModel, AutoCloseable {
  private final ChatCalls calls;

  private QuernChatModel(ChatCalls calls) {
    this.calls = calls;
  }

  public static Builder builder() {
    return new Builder();
  }

  /// The model that it runs on.
  public QuernModel model() {
    return calls.model();
  }

  @Override
  public ChatResponse doChat(ChatRequest request) {
    return calls.blocking(request);
  }

  @Override
  public ChatRequestParameters defaultRequestParameters() {
    return calls.parameters();
  }

  @Override
  public List<ChatModelListener> listeners() {
    return calls.listeners();
  }

  @Override
  public Set<Capability> supportedCapabilities() {
    return ChatCalls.CAPABILITIES;
  }

  /// Ends its requests and frees the memory, if the model was loaded for it alone.
  @Override
  public void close() {
    calls.close();
  }

  /// What it is built of.
  public static final class Builder extends ChatModelBuilder<Builder> {
    private Builder() {}

    @Override
    Builder self() {
      return this;
    }

    /// As [QuernModel.Builder#build], and what a request's parameters can't be is refused already.
    public QuernChatModel build() {
      return new QuernChatModel(calls());
    }
  }
}

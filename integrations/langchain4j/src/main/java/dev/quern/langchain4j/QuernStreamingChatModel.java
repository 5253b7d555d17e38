package dev.quern.langchain4j;

import dev.langchain4j.model.chat.Capability;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import java.util.List;
import java.util.Set;

/// A chat model that runs in the process, and tells a reply piece by piece.
///
/// ```java
/// model.chat("Why is the sky blue?", LambdaStreamingResponseHandler.onPartialResponse(IO::print));
/// ```
///
/// A call returns when the request is taken. The handler is called on a virtual thread of the
/// request's own, one call after the other; tool calls come in parts, and whole where they end.
/// Failures come to `onError`, the same as [QuernChatModel] throws; what it can't do at all, an
/// [dev.langchain4j.exception.UnsupportedFeatureException], is thrown. Once the handle that comes
/// with each piece is told to cancel, the handler hears no more, and the request ends before its
/// next token. Thread-safe.
///
/// @since 0.1
/// @stability api
public final class QuernStreamingChatModel implements StreamingChatModel, AutoCloseable {
  private final ChatCalls calls;

  private QuernStreamingChatModel(ChatCalls calls) {
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
  public void doChat(ChatRequest request, StreamingChatResponseHandler handler) {
    calls.streaming(request, handler);
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
    public QuernStreamingChatModel build() {
      return new QuernStreamingChatModel(calls());
    }
  }
}

package dev.quern.langchain4j;

import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.chat.Capability;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.quern.llama.Cancellation;
import dev.quern.llama.chat.ChatCompletion;
import java.util.List;
import java.util.Set;

/// What both chat models are made of.
///
/// @param parameters what a request gets that does not say otherwise
record ChatCalls(
    ModelBuilder.Loaded loaded,
    QuernChatRequestParameters parameters,
    List<ChatModelListener> listeners) {

  static final Set<Capability> CAPABILITIES = Set.of(Capability.RESPONSE_FORMAT_JSON_SCHEMA);

  QuernModel model() {
    return loaded.model();
  }

  /// Refuses a model that can't chat, and parameters that no request could have, before there is
  /// one.
  ///
  /// @throws dev.quern.QuernException as [QuernModel#chat]
  /// @throws RuntimeException as [Requests]
  void check() {
    model().chat();
    Failures.mapping(() -> Requests.options(model(), parameters));
  }

  /// @throws UnsupportedFeatureException if a request asks for a model by another name
  static void requireName(QuernModel model, String name) {
    if (name != null && !name.equals(model.name())) {
      throw new UnsupportedFeatureException(
          "modelName '"
              + name
              + "' is not supported: this model is '"
              + model.name()
              + "', and each has a QuernModel of its own");
    }
  }

  ChatResponse blocking(ChatRequest request) {
    return Failures.mapping(() -> {
      ChatCompletion completion = model().chat().submit(Requests.mapped(model(), request), _ -> {});
      try {
        return Replies.mapped(model(), completion.await());
      } catch (InterruptedException e) {
        completion.cancel();
        throw e;
      }
    });
  }

  void streaming(ChatRequest request, StreamingChatResponseHandler handler) {
    Cancellation cancellation = new Cancellation();
    Stream stream = new Stream(model(), handler, cancellation);
    stream.follow(() -> {
      dev.quern.llama.chat.ChatRequest mapped = Requests.mapped(model(), request);
      return model()
          .chat()
          .submit(mapped.withOptions(mapped.options().withCancellation(cancellation)), stream);
    });
  }

  void close() {
    loaded.close();
  }
}

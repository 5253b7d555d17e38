package dev.quern.langchain4j;

import dev.langchain4j.exception.TimeoutException;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.common.AbstractStreamingChatModelListenerIT;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;

/// LangChain4j's own tests of what listeners of streaming chat models hear.
class StreamingListenerKitTest extends AbstractStreamingChatModelListenerIT {
  private static final KitModel KIT = KitModel.load();

  @AfterAll
  static void close() {
    KIT.close();
  }

  @Override
  protected StreamingChatModel createModel(ChatModelListener listener) {
    return QuernStreamingChatModel.builder()
        .model(KIT.model())
        .temperature(temperature())
        .topP(topP())
        .maxTokens(maxTokens())
        .listeners(listener)
        .build();
  }

  @Override
  protected String modelName() {
    return KIT.model().name();
  }

  @Override
  protected StreamingChatModel createFailingModel(ChatModelListener listener) {
    return QuernStreamingChatModel.builder()
        .model(KIT.model())
        .timeout(Duration.ofNanos(1))
        .listeners(listener)
        .build();
  }

  @Override
  protected Class<? extends Exception> expectedExceptionClass() {
    return TimeoutException.class;
  }
}

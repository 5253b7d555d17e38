package dev.quern.langchain4j;

import dev.langchain4j.exception.TimeoutException;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.common.AbstractChatModelListenerIT;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;

/// LangChain4j's own tests of what listeners of chat models hear.
class ListenerKitTest extends AbstractChatModelListenerIT {
  private static final KitModel KIT = KitModel.load();

  @AfterAll
  static void close() {
    KIT.close();
  }

  @Override
  protected ChatModel createModel(ChatModelListener listener) {
    return QuernChatModel.builder()
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
  protected ChatModel createFailingModel(ChatModelListener listener) {
    return QuernChatModel.builder()
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

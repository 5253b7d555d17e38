package dev.quern.langchain4j;

import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.common.AbstractChatModelIT;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.response.ChatResponseMetadata;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.extension.ExtendWith;

/// LangChain4j's own tests of chat models.
@ExtendWith(KitModel.Knowledge.class)
class ChatKitTest extends AbstractChatModelIT {
  private static final KitModel KIT = KitModel.load();

  @AfterAll
  static void close() {
    KIT.close();
  }

  @Override
  protected List<ChatModel> models() {
    return List.of(QuernChatModel.builder().model(KIT.model()).temperature(0.0).build());
  }

  @Override
  protected ChatModel createModelWith(ChatRequestParameters parameters) {
    return QuernChatModel.builder()
        .model(KIT.model())
        .temperature(0.0)
        .defaultRequestParameters(parameters)
        .build();
  }

  @Override
  protected ChatRequestParameters createIntegrationSpecificParameters(int maxOutputTokens) {
    return QuernChatRequestParameters.builder().maxOutputTokens(maxOutputTokens).build();
  }

  @Override
  protected Class<? extends ChatResponseMetadata> chatResponseMetadataType(ChatModel model) {
    return QuernChatResponseMetadata.class;
  }

  @Override
  protected boolean supportsModelNameParameter() {
    return false; // but for the model's own
  }

  @Override
  protected boolean supportsSingleImageInputAsBase64EncodedString() {
    return false;
  }

  @Override
  protected boolean supportsMultipleImageInputsAsBase64EncodedStrings() {
    return false;
  }

  @Override
  protected boolean supportsSingleImageInputAsPublicURL() {
    return false;
  }

  @Override
  protected boolean supportsMultipleImageInputsAsPublicURLs() {
    return false;
  }
}

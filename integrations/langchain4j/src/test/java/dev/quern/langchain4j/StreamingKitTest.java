package dev.quern.langchain4j;

import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.common.AbstractStreamingChatModelIT;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.response.ChatResponseMetadata;
import dev.quern.testing.LeftOut;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.extension.ExtendWith;

/// LangChain4j's own tests of streaming chat models.
@ExtendWith(KitModel.Knowledge.class)
class StreamingKitTest extends AbstractStreamingChatModelIT {
  private static final KitModel KIT = KitModel.load();

  @AfterAll
  static void close() {
    KIT.close();
  }

  @Override
  protected List<StreamingChatModel> models() {
    return List.of(QuernStreamingChatModel.builder().model(KIT.model()).temperature(0.0).build());
  }

  @Override
  public StreamingChatModel createModelWith(ChatModelListener listener) {
    return QuernStreamingChatModel.builder()
        .model(KIT.model())
        .temperature(0.0)
        .listeners(listener)
        .build();
  }

  @Override
  protected StreamingChatModel createModelWith(ChatRequestParameters parameters) {
    return QuernStreamingChatModel.builder()
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
  protected Class<? extends ChatResponseMetadata> chatResponseMetadataType(
      StreamingChatModel model) {
    return QuernChatResponseMetadata.class;
  }

  /// For it LangChain4j waits half a minute for what must not come.
  @Override
  protected boolean supportsStreamingCancellation() {
    return LeftOut.full(StreamingKitTest.class, "should_cancel_streaming");
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

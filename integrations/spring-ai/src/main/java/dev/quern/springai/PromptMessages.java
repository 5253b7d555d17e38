package dev.quern.springai;

import dev.quern.llama.error.RequestException;
import dev.quern.llama.tokenizer.ChatMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.chat.messages.AssistantMessage;
import org.springframework.ai.chat.messages.Message;
import org.springframework.ai.chat.messages.ToolResponseMessage;
import org.springframework.ai.content.MediaContent;

/// Spring AI's messages as chat templates see them.
final class PromptMessages {
  private PromptMessages() {}

  /// @throws RequestException if one has an image or a sound
  /// @throws dev.quern.llama.tokenizer.TokenizerException if a tool call's arguments are no JSON
  ///   object
  static List<ChatMessage> of(List<Message> messages) {
    List<ChatMessage> all = new ArrayList<>();
    for (Message message : messages) {
      if (message instanceof MediaContent media && !media.getMedia().isEmpty()) {
        throw new RequestException(
            "chat: message "
                + all.size()
                + " has media of type "
                + media.getMedia().iterator().next().getMimeType()
                + ", expected text alone: these models read nothing else");
      }
      switch (message) {
        case AssistantMessage reply -> all.add(reply(reply));
        case ToolResponseMessage answers ->
            answers
                .getResponses()
                .forEach(answer ->
                    all.add(
                        ChatMessage.tool(answer.id(), answer.responseData())
                            .with("name", answer.name())));
        default -> all.add(ChatMessage.of(message.getMessageType().getValue(), text(message)));
      }
    }
    return all;
  }

  private static ChatMessage reply(AssistantMessage reply) {
    List<ChatMessage.ToolCall> calls =
        reply.getToolCalls().stream()
            .map(c -> ChatMessage.ToolCall.of(c.id(), c.name(), c.arguments()))
            .toList();
    String text = text(reply);
    Object thoughts = reply.getMetadata().get(QuernChatModel.REASONING);
    return new ChatMessage(
        "assistant",
        text.isEmpty() && !calls.isEmpty() ? Optional.empty() : Optional.of(text),
        calls,
        thoughts instanceof String said && !said.isEmpty()
            ? Map.of("reasoning_content", said)
            : Map.of());
  }

  private static String text(Message message) {
    @Nullable String text = message.getText();
    return text == null ? "" : text;
  }
}

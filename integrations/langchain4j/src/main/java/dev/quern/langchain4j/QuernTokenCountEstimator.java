package dev.quern.langchain4j;

import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.model.TokenCountEstimator;
import dev.quern.llama.tokenizer.ChatTemplate;
import dev.quern.llama.tokenizer.Tokenizer;
import java.util.List;
import java.util.stream.StreamSupport;

/// Counts tokens with a model's own vocabulary, as for LangChain4j's `TokenWindowChatMemory`.
///
/// Of a text it is exact. Of a message it is the tokens of what it says (text, and tools that it
/// calls, with their arguments), and those that the model's chat template writes around a message
/// of a user or an assistant. Of messages it is the sum, without what a template says only once,
/// such as a system text of its own, or the descriptions of tools. [dev.quern.llama.chat.ChatReply]
/// has what a prompt really took.
///
/// @since 0.1
/// @stability api
public final class QuernTokenCountEstimator implements TokenCountEstimator {
  private final Tokenizer tokenizer;
  private final int frame;

  /// @throws dev.quern.QuernException if the model has no vocabulary or no chat template
  public QuernTokenCountEstimator(QuernModel model) {
    tokenizer = model.llama().tokenizer();
    frame = frame(model.llama().chatTemplate());
  }

  /// What two more messages add, for each.
  private int frame(ChatTemplate template) {
    var question = dev.quern.llama.tokenizer.ChatMessage.user("a");
    var answer = dev.quern.llama.tokenizer.ChatMessage.assistant("a");
    int one = template.render(List.of(question)).tokens().length;
    int three = template.render(List.of(question, answer, question)).tokens().length;
    int said = 2 * estimateTokenCountInText("a");
    return Math.max(0, Math.ceilDiv(three - one - said, 2));
  }

  @Override
  public int estimateTokenCountInText(String text) {
    return tokenizer.encode(text, false).length;
  }

  /// @throws dev.langchain4j.exception.UnsupportedFeatureException if it holds what is no text
  @Override
  public int estimateTokenCountInMessage(ChatMessage message) {
    var mapped = Failures.mapping(() -> Messages.mapped(message));
    int said = mapped.content().map(this::estimateTokenCountInText).orElse(0);
    Object thoughts = mapped.fields().get("reasoning_content");
    int calls =
        mapped.toolCalls().stream()
            .mapToInt(call -> estimateTokenCountInText(call.name() + call.argumentsJson()))
            .sum();
    return frame
        + said
        + calls
        + (thoughts == null ? 0 : estimateTokenCountInText(thoughts.toString()));
  }

  @Override
  public int estimateTokenCountInMessages(Iterable<ChatMessage> messages) {
    return StreamSupport.stream(messages.spliterator(), false)
        .mapToInt(this::estimateTokenCountInMessage)
        .sum();
  }
}

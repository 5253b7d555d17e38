package dev.quern.serve.openai;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonInclude.Include;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.quern.llama.tokenizer.ChatMessage.ToolCall;
import dev.quern.serve.answer.Answers;
import dev.quern.serve.answer.Ids;
import java.util.List;
import java.util.Map;

/// What goes over the wire, as OpenAI's reference has it. Components are null where the protocol
/// writes null, or leaves the field out.
final class Wire {
  private Wire() {}

  record Usage(
      @JsonProperty("prompt_tokens") int promptTokens,
      @JsonProperty("completion_tokens") int completionTokens,
      @JsonProperty("total_tokens") int totalTokens,
      @JsonProperty("prompt_tokens_details") PromptTokensDetails details,
      @JsonProperty("completion_tokens_details") @JsonInclude(Include.NON_NULL)
          CompletionTokensDetails completionDetails) {

    /// What answers cost together.
    ///
    /// @param choices answers to one prompt, which counts once
    static Usage of(List<Answers.Ended> all, int choices) {
      int prompt = 0;
      int cached = 0;
      int generated = 0;
      int thought = 0;
      for (int i = 0; i < all.size(); i++) {
        Answers.Ended ended = all.get(i);
        generated += ended.generation().tokens().size();
        thought += ended.thoughtTokens();
        if (i % choices == 0) {
          prompt += ended.promptTokens();
          cached += ended.cachedTokens();
        }
      }
      return new Usage(
          prompt,
          generated,
          prompt + generated,
          new PromptTokensDetails(cached),
          thought == 0 ? null : new CompletionTokensDetails(thought));
    }
  }

  record PromptTokensDetails(@JsonProperty("cached_tokens") int cachedTokens) {}

  record CompletionTokensDetails(@JsonProperty("reasoning_tokens") int reasoningTokens) {}

  /// @param name absent in the parts of a stream behind a call's first
  record Function(@JsonInclude(Include.NON_NULL) String name, String arguments) {}

  /// @param index in a stream alone
  /// @param id absent in the parts of a stream behind a call's first, like the type
  record Call(
      @JsonInclude(Include.NON_NULL) Integer index,
      @JsonInclude(Include.NON_NULL) String id,
      @JsonInclude(Include.NON_NULL) String type,
      Function function) {

    static List<Call> all(List<ToolCall> calls) {
      return calls.stream()
          .map(call -> first(null, call.id(), new Function(call.name(), call.argumentsJson())))
          .toList();
    }

    /// The first part of a call, or all of it.
    static Call first(Integer index, String id, Function function) {
      return new Call(index, id.isEmpty() ? Ids.next("call_") : id, "function", function);
    }

    /// A part behind the first.
    static Call more(int index, String arguments) {
      return new Call(index, null, null, new Function(null, arguments));
    }
  }

  record Message(
      String role,
      String content,
      @JsonProperty("reasoning_content") @JsonInclude(Include.NON_NULL) String reasoningContent,
      @JsonProperty("tool_calls") @JsonInclude(Include.NON_NULL) List<Call> toolCalls,
      String refusal) {}

  record Choice(
      int index,
      Message message,
      LogProbs logprobs,
      @JsonProperty("finish_reason") String finishReason) {}

  /// `/v1/chat/completions`, whole.
  record Chat(
      String id, String object, long created, String model, List<Choice> choices, Usage usage) {}

  record Delta(
      @JsonInclude(Include.NON_NULL) String role,
      @JsonInclude(Include.NON_NULL) String content,
      @JsonProperty("reasoning_content") @JsonInclude(Include.NON_NULL) String reasoningContent,
      @JsonProperty("tool_calls") @JsonInclude(Include.NON_NULL) List<Call> toolCalls) {

    static Delta ofText(String text) {
      return new Delta(null, text, null, null);
    }

    static Delta ofThought(String text) {
      return new Delta(null, null, text, null);
    }

    static Delta ofCall(Call part) {
      return new Delta(null, null, null, List.of(part));
    }
  }

  record ChunkChoice(
      int index,
      Delta delta,
      LogProbs logprobs,
      @JsonProperty("finish_reason") String finishReason) {}

  /// An event of `/v1/chat/completions`.
  ///
  /// @param usage left out where it is null; [com.fasterxml.jackson.databind.node.NullNode] is
  ///   written
  record Chunk(
      String id,
      String object,
      long created,
      String model,
      List<ChunkChoice> choices,
      @JsonInclude(Include.NON_NULL) Object usage) {}

  record LogProbs(List<TokenLogProb> content, Object refusal) {}

  record TokenLogProb(
      String token,
      double logprob,
      int[] bytes,
      @JsonProperty("top_logprobs") @JsonInclude(Include.NON_NULL) List<TokenLogProb> top) {}

  record TextLogProbs(
      List<String> tokens,
      @JsonProperty("token_logprobs") List<Double> tokenLogprobs,
      @JsonProperty("top_logprobs") List<Map<String, Double>> topLogprobs,
      @JsonProperty("text_offset") List<Integer> textOffset) {}

  record TextChoice(
      String text,
      int index,
      TextLogProbs logprobs,
      @JsonProperty("finish_reason") String finishReason) {}

  /// `/v1/completions`, whole and as an event.
  record Text(
      String id,
      String object,
      long created,
      String model,
      List<TextChoice> choices,
      @JsonInclude(Include.NON_NULL) Object usage) {}

  record Model(String id, String object, long created, @JsonProperty("owned_by") String ownedBy) {}

  record ModelList(String object, List<Model> data) {}
}

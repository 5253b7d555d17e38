package dev.quern.serve.openai;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonInclude.Include;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.quern.llama.tokenizer.ChatMessage.ToolCall;
import java.util.ArrayList;
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
      @JsonProperty("prompt_tokens_details") PromptTokensDetails details) {

    static Usage of(int prompt, int completion, int cached) {
      return new Usage(prompt, completion, prompt + completion, new PromptTokensDetails(cached));
    }
  }

  record PromptTokensDetails(@JsonProperty("cached_tokens") int cachedTokens) {}

  record Function(String name, String arguments) {}

  /// @param index in a stream alone
  record Call(
      @JsonInclude(Include.NON_NULL) Integer index, String id, String type, Function function) {

    static List<Call> all(List<ToolCall> calls, boolean stream) {
      List<Call> all = new ArrayList<>();
      for (int i = 0; i < calls.size(); i++) {
        ToolCall call = calls.get(i);
        all.add(
            new Call(
                stream ? i : null,
                call.id().isEmpty() ? Ids.next("call_") : call.id(),
                "function",
                new Function(call.name(), call.argumentsJson())));
      }
      return all;
    }
  }

  record Message(
      String role,
      String content,
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
      @JsonProperty("tool_calls") @JsonInclude(Include.NON_NULL) List<Call> toolCalls) {}

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

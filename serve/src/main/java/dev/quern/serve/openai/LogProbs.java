package dev.quern.serve.openai;

import dev.quern.llama.sampling.LogProbabilities;
import dev.quern.llama.sampling.TokenLogProbability;
import dev.quern.llama.tokenizer.Tokenizer;
import dev.quern.serve.http.HttpFailure;
import dev.quern.serve.http.JsonFields;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/// Log probabilities in the protocol's two forms.
final class LogProbs {
  private static final int MOST = 20; // OpenAI's

  private LogProbs() {}

  /// `logprobs` and `top_logprobs` of a chat.
  ///
  /// @return of how many of the likeliest they are wanted; empty where they are not
  static OptionalInt readChat(JsonFields f) {
    OptionalInt top = f.integer("top_logprobs", 0, MOST);
    if (f.flag("logprobs", false)) {
      return OptionalInt.of(top.orElse(0));
    }
    if (top.isPresent()) {
      throw HttpFailure.invalid(
          f.path("top_logprobs"), "top_logprobs: expected logprobs=true beside it");
    }
    return OptionalInt.empty();
  }

  /// `logprobs` of a text: a number.
  static OptionalInt readText(JsonFields f) {
    return f.integer("logprobs", 0, MOST);
  }

  /// A chat's.
  static Wire.LogProbs chat(Tokenizer tokenizer, List<LogProbabilities> all) {
    return new Wire.LogProbs(
        all.stream()
            .map(one -> {
              List<Wire.TokenLogProb> top =
                  one.top().stream().map(t -> entry(tokenizer, t, null)).toList();
              return entry(tokenizer, one.chosen(), top);
            })
            .toList(),
        null);
  }

  private static Wire.TokenLogProb entry(
      Tokenizer tokenizer, TokenLogProbability one, List<Wire.TokenLogProb> top) {
    byte[] bytes = tokenizer.bytes(one.token());
    int[] unsigned = new int[bytes.length];
    for (int i = 0; i < bytes.length; i++) {
      unsigned[i] = bytes[i] & 0xff;
    }
    return new Wire.TokenLogProb(text(bytes), one.logProbability(), unsigned, top);
  }

  /// A text's.
  ///
  /// @param offset characters of the text before these tokens
  static Wire.TextLogProbs text(Tokenizer tokenizer, List<LogProbabilities> all, int offset) {
    List<String> tokens = new ArrayList<>();
    List<Double> chosen = new ArrayList<>();
    List<Map<String, Double>> top = new ArrayList<>();
    List<Integer> offsets = new ArrayList<>();
    int at = offset;
    for (LogProbabilities one : all) {
      String token = text(tokenizer.bytes(one.chosen().token()));
      tokens.add(token);
      chosen.add(one.chosen().logProbability());
      Map<String, Double> likeliest = new LinkedHashMap<>();
      one.top()
          .forEach(
              t -> likeliest.putIfAbsent(text(tokenizer.bytes(t.token())), t.logProbability()));
      top.add(likeliest);
      offsets.add(at);
      at += token.length();
    }
    return new Wire.TextLogProbs(tokens, chosen, top, offsets);
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }
}

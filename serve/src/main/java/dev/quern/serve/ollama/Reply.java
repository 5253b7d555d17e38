package dev.quern.serve.ollama;

import dev.quern.llama.Generation;
import dev.quern.llama.Piece;
import dev.quern.llama.chat.ChatListener;
import dev.quern.llama.tokenizer.ChatMessage.ToolCall;
import dev.quern.serve.answer.Answers;
import dev.quern.serve.answer.Ids;
import dev.quern.serve.answer.StreamErrors;
import dev.quern.serve.http.Exchange;
import dev.quern.serve.http.Json;
import dev.quern.serve.http.ResponseStream;
import dev.quern.serve.model.LoadedModel;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// An answer to `/api/chat` or `/api/generate`: one object, or lines of them.
///
/// @param model as the request names it, or the server where it names none
/// @param conversation whether text is in a message, otherwise it is in `response`
/// @param loading how long the request waited for the model to be loaded
record Reply(Exchange exchange, String model, boolean conversation, Duration loading) {
  private static final String LINES = "application/x-ndjson";

  /// Says that a model was loaded or unloaded, which is what a request without a text asks for.
  ///
  /// @param reason `load` or `unload`
  void loaded(String reason) throws Exception {
    Map<String, Object> whole = part("", "", List.of(), true);
    whole.put("done_reason", reason);
    exchange.send(200, whole);
  }

  void answer(LoadedModel loaded, Answers.Question question, boolean stream) throws Exception {
    Answers.report(exchange, loaded);
    if (stream) {
      stream(question);
    } else {
      whole(question);
    }
  }

  private void whole(Answers.Question question) throws Exception {
    StringBuilder text = new StringBuilder();
    Answers answers =
        Answers.ask(exchange, List.of(question), _ -> piece -> text.append(piece.text()));
    Answers.Ended ended = answers.await(0);
    exchange.send(200, end(text.toString(), ended.thoughts(), ended.calls(), answers, ended));
  }

  private void stream(Answers.Question question) throws Exception {
    ResponseStream lines = exchange.stream(LINES);
    Answers answers = Answers.ask(exchange, List.of(question), _ -> new Parts(lines));
    StreamErrors.telling(
        exchange,
        error -> send(lines, error),
        () -> {
          Answers.Ended ended = answers.await(0);
          if (!ended.calls().isEmpty()) {
            send(lines, part("", "", ended.calls(), false));
          }
          send(lines, end("", "", List.of(), answers, ended));
        });
    lines.end();
  }

  /// Tells an answer as it comes; calls are told when they are whole.
  private final class Parts implements ChatListener {
    private final ResponseStream lines;

    Parts(ResponseStream lines) {
      this.lines = lines;
    }

    @Override
    public void text(Piece piece) {
      if (!piece.text().isEmpty()) {
        send(lines, part(piece.text(), "", List.of(), false));
      }
    }

    @Override
    public void thought(Piece piece) {
      if (!piece.text().isEmpty()) {
        send(lines, part("", piece.text(), List.of(), false));
      }
    }
  }

  private static void send(ResponseStream lines, Object value) {
    lines.write(Json.text(value) + "\n");
  }

  private Map<String, Object> part(
      String text, String thoughts, List<ToolCall> calls, boolean done) {
    Map<String, Object> part = new LinkedHashMap<>();
    part.put("model", model);
    part.put("created_at", Instant.now().toString());
    if (conversation) {
      Map<String, Object> message = new LinkedHashMap<>();
      message.put("role", "assistant");
      message.put("content", text);
      if (!thoughts.isEmpty()) {
        message.put("thinking", thoughts);
      }
      if (!calls.isEmpty()) {
        message.put("tool_calls", calls(calls));
      }
      part.put("message", message);
    } else {
      part.put("response", text);
      if (!thoughts.isEmpty()) {
        part.put("thinking", thoughts);
      }
    }
    part.put("done", done);
    return part;
  }

  private static List<Map<String, Object>> calls(List<ToolCall> calls) {
    List<Map<String, Object>> all = new ArrayList<>();
    for (ToolCall call : calls) {
      Map<String, Object> function = new LinkedHashMap<>();
      function.put("index", all.size());
      function.put("name", call.name());
      function.put("arguments", call.arguments());
      Map<String, Object> one = new LinkedHashMap<>();
      one.put("id", call.id().isEmpty() ? Ids.next("call_") : call.id());
      one.put("function", function);
      all.add(one);
    }
    return all;
  }

  private Map<String, Object> end(
      String text, String thoughts, List<ToolCall> calls, Answers answers, Answers.Ended ended) {
    Generation generation = ended.generation();
    Map<String, Object> end = part(text, thoughts, calls, true);
    end.put("done_reason", answers.finishReason(ended).equals("length") ? "length" : "stop");
    end.put("total_duration", exchange.age().toNanos());
    end.put("load_duration", loading.toNanos());
    end.put("prompt_eval_count", ended.promptTokens());
    end.put("prompt_eval_duration", nanos(generation.prefillSeconds()));
    end.put("eval_count", generation.tokens().size());
    end.put("eval_duration", nanos(generation.decodeSeconds()));
    return end;
  }

  private static long nanos(double seconds) {
    return (long) (seconds * 1e9);
  }
}

package dev.quern.serve.openai;

import dev.quern.llama.chat.ChatRequest;
import dev.quern.llama.tokenizer.ChatMessage;
import dev.quern.llama.tokenizer.ChatMessage.ToolCall;
import dev.quern.serve.answer.Answers;
import dev.quern.serve.answer.ChatQuestion;
import dev.quern.serve.answer.Ids;
import dev.quern.serve.answer.Schemas;
import dev.quern.serve.answer.StreamErrors;
import dev.quern.serve.http.Endpoint;
import dev.quern.serve.http.EventStream;
import dev.quern.serve.http.Exchange;
import dev.quern.serve.http.JsonFields;
import dev.quern.serve.model.LoadedModel;
import dev.quern.serve.model.Models;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// `POST /v1/responses`: text and calls of functions, of which nothing is stored.
public final class Responses implements Endpoint {
  private final Models models;
  private final ResponseFormats formats;

  public Responses(Models models, Schemas schemas) {
    this.models = models;
    formats = new ResponseFormats(schemas);
  }

  @Override
  public void answer(Exchange exchange) throws Exception {
    JsonFields f = exchange.json();
    try (Models.Lease lease = models.lease(exchange, f.string("model"))) {
      LoadedModel model = lease.model();
      ResponseFields fields = ResponseFields.read(f, model.model(), formats);
      List<ChatMessage> messages = ResponseInput.read(f);
      f.end();
      ChatRequest request =
          ChatRequest.of(messages, fields.options())
              .withTools(fields.tools().tools())
              .withChoice(fields.tools().choice())
              .withDeadline(models.timeLeft(exchange.age()));
      ChatQuestion question = new ChatQuestion(model.chat(), request, fields.tools().parallel());
      Answers.report(exchange, model);
      ResponseObject response = ResponseObject.of(model.name(), fields.shown());
      if (fields.stream()) {
        stream(exchange, question, response);
      } else {
        whole(exchange, question, response);
      }
    }
  }

  private static void whole(Exchange exchange, ChatQuestion question, ResponseObject response)
      throws Exception {
    StringBuilder text = new StringBuilder();
    Answers answers =
        Answers.ask(exchange, List.of(question), _ -> piece -> text.append(piece.text()));
    Answers.Ended ended = answers.await(0);
    boolean length = answers.finishReason(ended).equals("length");
    List<Map<String, Object>> output = new ArrayList<>();
    boolean silent = text.isEmpty() && (!ended.calls().isEmpty() || !ended.thoughts().isEmpty());
    if (!ended.thoughts().isEmpty()) {
      output.add(
          ResponseObject.reasoning(
              Ids.next("rs_"),
              silent && length ? "incomplete" : "completed",
              List.of(ResponseObject.thought(ended.thoughts()))));
    }
    if (!silent) {
      output.add(
          ResponseObject.message(
              Ids.next("msg_"),
              length ? "incomplete" : "completed",
              List.of(ResponseObject.text(text.toString()))));
    }
    for (ToolCall call : ended.calls()) {
      output.add(ResponseObject.call(Ids.next("fc_"), "completed", call, call.argumentsJson()));
    }
    exchange.send(200, response.ended(output, ended, length));
  }

  private static void stream(Exchange exchange, ChatQuestion question, ResponseObject response)
      throws Exception {
    EventStream stream = exchange.events();
    ResponseEvents events = new ResponseEvents(stream, response);
    Answers answers = Answers.ask(exchange, List.of(question), _ -> events.listener());
    events.begin();
    StreamErrors.telling(
        exchange,
        events::fail,
        () -> {
          Answers.Ended ended = answers.await(0);
          events.end(ended, answers.finishReason(ended).equals("length"));
        });
    stream.end();
  }
}
